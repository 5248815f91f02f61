"""What real programs log, read as what happened.

The story of origin_test.py once more, this time from nothing but Postfix's own log; and the logs and
transcripts of Exim, swaks and sSMTP from sessions with each other.
"""

import datetime
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import clients
import root
from exim import Exim
from follow import DEADLINE
from postfix import Postfix
from scanner import Scanner
from smtpscope import Proxy, sessions_of_log

MESSAGE = (
    b"From: alice@example.com\nTo: bob@example.net\nSubject: figures\n\n"
    b"First line.\n.A line with a dot.\nLast line.\n"
)
SCAN = 5.0  # s; the shortest wait that is told for a timer between stamps of a second


def with_microseconds(log):
    """The lines of a log with stamps of a second, as rsyslog writes them in RFC 3339.

    It would know the microseconds; here the lines of a second are spread over it, in their order.
    """
    year = datetime.date.today().year
    lines, last, within = [], None, 0
    for line in log.decode().splitlines():
        stamp, rest = line[:15], line[15:]
        within = within + 100 if stamp == last else 0
        last = stamp
        when = datetime.datetime.strptime(f"{year} {stamp}", "%Y %b %d %H:%M:%S")
        lines.append(f"{when.isoformat()}.{within:06}+00:00{rest}\n")
    return "".join(lines).encode()


def stamps(log, pattern):
    """The times of day, in seconds, of the lines that match."""
    found = re.findall(rb"^... .. (\d\d):(\d\d):(\d\d) \S+ \S*smtpd\S* " + pattern, log, re.M)
    return [int(h) * 3600 + int(m) * 60 + int(s) for h, m, s in found]


class PostfixLog(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def log_of(self, postfix, sessions):
        """Postfix's log when so many sessions have ended."""
        postfix.lines.wait_for("smtpd.*: disconnect from", sessions)
        return (postfix.base / "maillog").read_bytes()

    def story(self, **how):
        with Postfix(**how) as postfix:
            with Scanner(postfix.port, SCAN) as scanner:
                clients.ssmtp(scanner.port, MESSAGE, ["bob@example.net"], self.folder)
            postfix.mail("bob@example.net")
            return self.log_of(postfix, 1)

    def assert_story(self, session):
        self.assertEqual(
            session.verbs(),
            ["HELO", "MAIL", "RCPT", "RSET", "RSET", "MAIL", "RCPT", "DATA", "QUIT"])
        self.assertEqual(session.outcomes(), ["aborted", "accepted"])
        self.assertIn("txn-replayed-after-rset", session.headlines("warning"))
        self.assertLessEqual({"txn-aborted-rset", "rset-repeated"}, set(session.rules()))
        for rule in session.above_info():
            self.assertNotRegex(rule, "missing|without|unadvertised|cleartext")

    def test_the_story_with_v(self):
        log = self.story(smtpd="smtpd -v")
        (self.folder / "maillog").write_bytes(log)
        (session,) = sessions_of_log(self.folder / "maillog")
        self.assert_story(session)
        # A wait of 5.0 s lies between stamps that differ by 5, or by 6 when it takes a little more.
        before, again = stamps(log, rb"< \S+ RSET")[-1], stamps(log, rb"< \S+ MAIL")[-1]
        (silence,) = [s for s in session.silences if s["length_ns"] > 4e9]
        self.assertEqual((silence["silent"], silence["length_ns"] / 1e9), ("client", again - before))
        pause = again - before == SCAN
        self.assertEqual("round-pause" in session.rules(), pause)
        self.assertEqual("interception-suspected" in session.rules(), pause)

        (self.folder / "precise").write_bytes(with_microseconds(log))
        (session,) = sessions_of_log(self.folder / "precise")
        self.assert_story(session)
        self.assertEqual(session.fields["resolution_ns"], 1000)

    def test_the_story_for_a_listed_peer(self):
        log = self.story(settings="debug_peer_list = 127.0.0.1\ndebug_peer_level = 1\n")
        (self.folder / "maillog").write_bytes(log)
        self.assert_story(sessions_of_log(self.folder / "maillog")[0])

    def test_the_log_tells_what_the_proxy_saw(self):
        """Commands, codes and outcomes of some clients, from the capture and from the log."""
        with Postfix(smtpd="smtpd -v") as postfix:
            with Proxy(f"127.0.0.1:{postfix.port}", self.folder) as proxy:
                clients.swaks(proxy.port, MESSAGE, ["bob@example.net"], self.folder)
                clients.swaks_pipelining(
                    proxy.port, MESSAGE, ["bob@example.net", "carol@example.net"], self.folder)
                clients.curl_session(
                    proxy.port, [MESSAGE, MESSAGE], ["bob@example.net"], self.folder)
                with self.assertRaises(AssertionError):
                    clients.msmtp(proxy.port, MESSAGE, ["nobody@example.net"], self.folder)
                proxy.finish()
            (self.folder / "maillog").write_bytes(self.log_of(postfix, 4))
        told = sessions_of_log(self.folder / "maillog")
        seen = sessions_of_log(proxy.capture)
        self.assertEqual(len(told), 4)
        for log, capture in zip(told, seen):
            self.assertEqual(log.verbs(), capture.verbs())
            self.assertEqual(log.outcomes(), capture.outcomes())
            self.assertEqual(log.forward_paths(), capture.forward_paths())
            self.assertEqual(codes(log), codes(capture))
            unasked = {one["rule"] for one in log.fields["end"]["not_evaluated"]}
            self.assertEqual(
                log.above_info(), [rule for rule in capture.above_info() if rule not in unasked])


def codes(session):
    """Of each reply, in the order of what they answer: a pipelining client's come later."""
    return [entry["code"] for entry in session.fields["entries"] if entry["kind"] == "reply"]


class OtherLogs(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_exim_and_its_clients(self):
        with Exim(debug="-d-all+receive+transport+timestamp+pid") as exim:
            swaks = self.run_client(
                ["swaks", "--server", "127.0.0.1", "--port", exim.port, "--ehlo", "client.example",
                 "--from", clients.SENDER, "--to", "bob@example.net"])
            ssmtp = self.run_client(
                [clients.SSMTP, "-v", "-C", clients.ssmtp_configuration(exim.port, self.folder),
                 "-f", clients.SENDER, "bob@example.net"], MESSAGE)
            exim.mail("bob@example.net", 2)
            told = exim.debug_lines(r"SMTP>>\(close on process exit\)", 3)
        wanted = {"swaks": ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"],
                  "ssmtp": ["HELO", "MAIL", "RCPT", "DATA", "QUIT"]}
        for name, text in (("swaks", swaks), ("ssmtp", ssmtp)):
            (self.folder / name).write_bytes(text)
            (session,) = sessions_of_log(self.folder / name)
            self.assertEqual(session.verbs(), wanted[name])
            self.assertEqual(session.outcomes(), ["accepted"])
            self.assertGreater(session.transactions[0]["message"]["facts"]["octets"], 100)
            self.assertEqual(session.above_info(), [])
        (self.folder / "exim").write_bytes(told)
        # The first one is the test's own, to see whether Exim answers.
        of_exim = sessions_of_log(self.folder / "exim")[1:]
        self.assertEqual([s.verbs() for s in of_exim], [wanted["swaks"], wanted["ssmtp"]])
        self.assertEqual([s.outcomes() for s in of_exim], [["accepted"], ["accepted"]])
        self.assertEqual([s.above_info() for s in of_exim], [[], []])

    def run_client(self, command, stdin=b""):
        """What the client prints, on both outputs in their order."""
        done = subprocess.run(
            [str(word) for word in command], input=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=self.folder, timeout=DEADLINE, check=True,
            env={"HOME": str(self.folder), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        return done.stdout


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
