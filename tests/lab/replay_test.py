"""`smtpscope replay` and `--upstream replay:` and `script:`, as a user meets them."""

import json
import signal
import smtplib
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "real"))

from follow import DEADLINE, FollowedFile  # noqa: E402
from smtpscope import BINARY, Proxy, show  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

MAIL = "From: a@example.com\r\nSubject: x\r\n\r\nhello\r\n..dot\r\n"

SCRIPT = """# Puts the first mail off, takes the second.
S: 220 mx.example ESMTP
C: EHLO client.example
S> raw "250-mx.example\\r\\n250 PIPELINING\\r\\n"
C: MAIL FROM:<a@example.com>
S: 250 2.1.0 Ok
C: RCPT TO:<b@example.net>
S: 450 4.2.0 Greylisted
C: RSET
S: 250 2.0.0 Ok
C: QUIT
S: 221 2.0.0 Bye
close server fin
session: 2
S: 220 mx.example ESMTP
C: EHLO client.example
S> raw "250-mx.example\\r\\n250 PIPELINING\\r\\n"
C: MAIL FROM:<a@example.com>
S: 250 2.1.0 Ok
C: RCPT TO:<b@example.net>
S: 250 2.1.5 Ok
C: DATA
S: 354 Go
C> raw "x\\r\\n.\\r\\n"
S: 250 2.0.0 Taken
C: QUIT
S: 221 2.0.0 Bye
close server fin
"""


def run(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=DEADLINE, check=False)


def send(port, recipient="b@example.net", message=MAIL):
    with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=DEADLINE) as client:
        client.sendmail("a@example.com", [recipient], message)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def recorded(self, *options, mails=1, message=MAIL):
        with Proxy("sink", self.folder, *options, capture="recorded.smtpcap") as proxy:
            for _ in range(mails):
                send(proxy.port, message=message)
        return proxy.capture

    def script(self, text=SCRIPT):
        file = self.folder / "a.txt"
        file.write_text(text)
        return file


class Client(InFolder):
    """The client's side."""

    def test_what_was_recorded_at_the_sink_happens_there_again(self):
        capture = self.recorded(mails=2)
        again = self.folder / "again.smtpcap"
        done = run("replay", capture, "--to", "sink", "-w", again)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("no difference", done.stdout)
        self.assertEqual(show(again).count("250 2.1.5 Ok"), 2)

    def test_one_session_of_several(self):
        capture = self.recorded(mails=3)
        again = self.folder / "again.smtpcap"
        done = run("replay", capture, "--to", "sink", "--session", 2, "-w", again)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(show(again).count("250 2.1.5 Ok"), 1)
        done = run("replay", capture, "--to", "sink", "--session", 9)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no session 9", done.stderr)

    def test_a_server_that_answers_otherwise(self):
        capture = self.recorded()
        done = run("replay", capture, "--to", f"script:{self.script()}", "-f", "json")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("session 1: ", done.stderr)
        document = json.loads(done.stdout)
        kinds = {each["kind"] for session in document["comparisons"][0]["sessions"]
                 for each in session["differences"]}
        self.assertIn("reply_code", {kind.replace("-", "_") for kind in kinds})
        if jsonschema:
            schema, timeline = (json.loads((ROOT / "docs" / f"{name}.schema.json").read_text())
                                for name in ("comparison", "timeline"))
            resolver = jsonschema.RefResolver("comparison.schema.json", schema,
                                              store={"timeline.schema.json": timeline})
            jsonschema.Draft202012Validator(schema, resolver=resolver).validate(document)

    def test_left_out_content_becomes_filler(self):
        message = MAIL + "line of the message\r\n" * 5000
        capture = self.recorded("--message", "1K", message=message)
        again = self.folder / "again.smtpcap"
        done = run("replay", capture, "--to", "sink", "-w", again)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stderr, r"\d+ octets of messages are not in the recording: filler")

    def test_what_cannot_be_played_is_refused(self):
        capture = self.folder / "login.smtpcap"
        log = self.folder / "login.txt"
        log.write_text("S: 220 mx\nC: EHLO c\nS: 250 AUTH PLAIN\nC: AUTH PLAIN AGEAYg==\nS: 235 ok\nC: QUIT\n"
                       "S: 221 bye\nclose server fin\n")
        with Proxy(f"script:{log}", self.folder, capture="login.smtpcap") as proxy:
            client = smtplib.SMTP("127.0.0.1", proxy.port, "c", timeout=DEADLINE)
            client.docmd("EHLO c")
            client.docmd("AUTH PLAIN AGEAYg==")
            client.quit()
        done = run("replay", capture, "--to", "sink")
        self.assertEqual(done.returncode, 2)
        self.assertIn("session 1 cannot be played: it logs in, and its recording has the credentials "
                      "masked", done.stderr)
        with Proxy(f"script:{log}", self.folder, "--keep-credentials", capture="kept.smtpcap") as proxy:
            client = smtplib.SMTP("127.0.0.1", proxy.port, "c", timeout=DEADLINE)
            client.docmd("EHLO c")
            client.docmd("AUTH PLAIN AGEAYg==")
            client.quit()
        kept = self.folder / "kept.smtpcap"
        done = run("replay", kept, "--to", f"replay:{kept}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_nobody_else_gets_mail_by_mistake(self):
        capture = self.recorded()
        for arguments, words in ((["--to", "mx.invalid:25"], "say --really"),
                                 (["--to", "192.0.2.1:25", "--really"], "--recipient ADDRESS"),
                                 (["--to", "sink", "--recipient", "a@b", "--keep-recipients"],
                                  "contradict each other")):
            done = run("replay", capture, *arguments)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(words, done.stderr)
        again = self.folder / "again.smtpcap"
        done = run("replay", capture, "--to", "sink", "--recipient", "test@example.org", "-w", again)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("to:<test@example.org>", show(again).lower())  # Python 3.13 writes it so
        self.assertNotIn("b@example.net", show(again))

    def test_wrong_usage(self):
        capture = self.recorded()
        for arguments, words in ((["--to", "sink", "--pace", "quick"], "--pace: got 'quick'"),
                                 (["--to", "sink", "--timeout", "0"], "--timeout: '0' is no time"),
                                 (["--to", "127.0.0.1:1"], "refused"),
                                 (["--to", f"script:{self.folder / 'none'}"], "cannot read"),
                                 (["--to", f"replay:{self.folder / 'none'}"], "none")):
            done = run("replay", capture, *arguments)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn(words, done.stderr)
        done = run("replay", self.folder / "none", "--to", "sink")
        self.assertEqual(done.returncode, 2)

    def test_what_was_played_is_compared_behind_ctrl_c(self):
        capture = self.recorded(mails=2)
        silent = self.folder / "silent.txt"
        # The second session is never greeted.
        silent.write_text(SCRIPT.split("session: 2")[1].strip() + "\nsession: 2\nC: QUIT\n")
        again = self.folder / "again.smtpcap"
        process = subprocess.Popen([BINARY, "replay", capture, "--to", f"script:{silent}", "-w", again],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines = FollowedFile(again)
        try:
            lines.wait_for('"s":2,"e":"connected"')
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=DEADLINE)
        finally:
            lines.close()
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.assertEqual(process.returncode, 2, err)
        self.assertIn(b"of 2 sessions were played", err)
        self.assertIn(b"session", out)


class Server(InFolder):
    """The server's side."""

    def code(self, proxy):
        """Stops the proxy; its exit status."""
        proxy._process.send_signal(signal.SIGTERM)
        self.said = proxy.errors.rest()
        return proxy._process.wait(DEADLINE)

    def test_a_client_that_does_the_same_again(self):
        capture = self.recorded(mails=2)
        with Proxy(f"replay:{capture}", self.folder) as proxy:
            send(proxy.port, message="Subject: other\r\n\r\nnot the same\r\n" )
            send(proxy.port)
            self.assertEqual(self.code(proxy), 1)  # the message differs
        with Proxy(f"replay:{capture}", self.folder, "--force") as proxy:
            send(proxy.port)
            send(proxy.port)
            self.assertEqual(self.code(proxy), 0)

    def test_a_client_that_does_something_else(self):
        capture = self.recorded()
        for extra, error in (("fail", smtplib.SMTPServerDisconnected), ("500", None),
                             ("421", None)):
            with Proxy(f"replay:{capture}", self.folder, "--extra", extra, "--force") as proxy:
                client = smtplib.SMTP("127.0.0.1", proxy.port, "client.example", timeout=DEADLINE)
                client.ehlo()
                if error:
                    with self.assertRaises(error):
                        client.verify("a@example.com")
                else:
                    self.assertEqual(client.verify("a@example.com")[0], int(extra))
                client.close()
                self.assertEqual(self.code(proxy), 1)
            said = "\n".join(self.said)
            self.assertRegex(said, "session 1: the client said (?i:vrfy) .*a@example.com.*, which the recorded one did not")

    def test_more_sessions_than_there_are(self):
        capture = self.recorded()
        with Proxy(f"replay:{capture}", self.folder, "--extra", "421") as proxy:
            send(proxy.port)
            with self.assertRaises(smtplib.SMTPConnectError) as refused:
                send(proxy.port)
            self.assertEqual(refused.exception.smtp_code, 421)
            self.assertEqual(self.code(proxy), 1)
        self.assertIn("the recording has no further session", "\n".join(self.said))

    def test_two_routes(self):
        capture = self.recorded(mails=2)
        configuration = self.folder / "routes.conf"
        # Each with its own options: to the first route's client --extra is fail.
        configuration.write_text(f"""
            write = {self.folder / "run.smtpcap"}
            format = none
            [route played]
            listen = 127.0.0.1:0
            upstream = replay:{capture}
            [route written]
            listen = 127.0.0.1:0
            upstream = script:{self.script()}
            pace = none
            extra = 500
            """)
        proxy = Proxy("sink", self.folder)
        proxy._command = [BINARY, "proxy", "--config", str(configuration)]
        with proxy:
            written = int(proxy.errors.wait_for(r"route written: listening on \S*:(\d+)\b")[1])
            send(proxy.port)
            client = smtplib.SMTP("127.0.0.1", written, "client.example", timeout=DEADLINE)
            client.ehlo()
            self.assertEqual(client.verify("a@example.com")[0], 500)
            client.close()
            self.assertEqual(self.code(proxy), 1)
        said = "\n".join(self.said)
        self.assertIn("route played: 1 session of the recording were not asked for", said)
        self.assertRegex(said, "route written: session 1: the client said (?i:vrfy) ")
        self.assertNotIn("route played: session", said)
        # What of several routes is in one capture is not compared with the recording of one.
        self.assertEqual(proxy._live.read_text(), "")

    def test_a_script(self):
        with Proxy(f"script:{self.script()}", self.folder) as proxy:
            with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
                send(proxy.port)
            self.assertEqual(refused.exception.recipients["b@example.net"][0], 450)
            send(proxy.port)
            send(proxy.port)  # the last session goes on
            self.assertEqual(self.code(proxy), 0)
        bad = self.script("S: 220 x\nnonsense\n")
        done = run("proxy", "--listen", "127.0.0.1:0", "--upstream", f"script:{bad}")
        self.assertEqual(done.returncode, 2)
        self.assertIn("a.txt:2: got 'nonsense', expected 'C: LINE'", done.stderr)


if __name__ == "__main__":
    unittest.main()
