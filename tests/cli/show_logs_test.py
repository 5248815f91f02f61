#!/usr/bin/env python3
"""smtpscope show with the logs of servers and clients."""

import gzip
import json
import unittest
from pathlib import Path

from program import Capture, ProgramTest, quiet_session, run

LOGS = Path(__file__).resolve().parents[1] / "readers" / "logs"
ALL = sorted(path.name for path in LOGS.iterdir())
SECRETS = ("AGFsaWNlAHRvcHNlY3JldA==", "YWxpY2U=", "dG9wc2VjcmV0")


def document(path, *options):
    result = run("show", path, "-f", "json", *options)
    return json.loads(result.out)


def rules(session):
    return [annotation["rule"] for annotation in session["annotations"]]


def verbs(session):
    return [entry["verb"] for entry in session["entries"] if entry["kind"] == "command"]


class ShowLogs(ProgramTest):
    def test_the_story_from_stamps_of_a_second(self):
        result = run("show", LOGS / "postfix-origin.log")
        self.assertEqual(result.code, 0)
        self.assertIn("name no time zone and no year", result.err)
        for words in (
            "not in this trace: line ends and unprintable octets, what arrived together, the messages, "
            "how connections were closed; times are exact to 1 s",
            "10 s, client silent (owes a command)",
            "rset-repeated: RSET sent 2 times in a row, about 1 s apart",
            "round-pause: about 10 s match a timer of 10 s",
            "txn-replayed-after-rset: transaction 1 again, about 11 s later: with 2 RSET in between",
            "interception-suspected",
            "mail data, which the trace does not have",
            "2 messages: 1 delivered, 1 never sent",
        ):
            self.assertIn(words, " ".join(result.out.split()), words)
        self.assertNotIn("10.00", result.out)

    def test_what_cannot_be_judged_is_not_judged_and_told(self):
        (session,) = document(LOGS / "postfix-origin.log")["sessions"]
        told = {one["rule"] for one in session["end"]["not_evaluated"]}
        self.assertLessEqual(
            {"line-ending-command", "line-ending-data", "nagle-delayed-ack", "reply-dripped",
             "half-close", "pipelining-unadvertised", "tarpit-pattern", "eod-reply-slow"}, told)
        self.assertFalse(told & set(rules(session)))
        self.assertNotIn("round-pause", told)
        self.assertEqual(session["unknown"], ["octets", "reads", "content", "closes"])
        self.assertEqual(session["resolution_ns"], 1_000_000_000)
        self.assertTrue(session["inside_tls"])
        # Explained with -v, one by one.
        verbose = run("show", "-v", LOGS / "postfix-origin.log").out
        self.assertIn("not evaluated: line-ending-command: the trace does not show line ends",
                      " ".join(verbose.split()))

    def test_inside_tls_side_by_side(self):
        first, second = document(LOGS / "postfix-interleaved.log")["sessions"]
        self.assertEqual(
            verbs(first),
            ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "BDAT", "BDAT", "QUIT"])
        (transaction,) = first["transactions"]
        self.assertEqual(transaction["outcome"], "accepted")
        self.assertEqual(transaction["message"]["facts"]["octets"], 344)
        self.assertTrue(transaction["message"]["facts"]["unseen"])
        self.assertEqual([r for r in rules(first) if r.startswith(("auth-", "tls-", "bdat-"))], [])
        self.assertEqual(second["transactions"][0]["outcome"], "aborted")
        self.assertIn("txn-aborted-disconnect", rules(second))

    def test_no_secret_is_printed(self):
        for name in ALL:
            for form in ("text", "json", "jsonl"):
                out = run("show", "-v", "-f", form, LOGS / name).out
                for secret in SECRETS:
                    self.assertNotIn(secret, out, f"{name} as {form}")

    def test_every_log_in_every_way(self):
        for name in ALL:
            with self.subTest(name):
                path = LOGS / name
                shown = run("show", path)
                self.assertEqual(shown.code, 0, shown.err)
                self.assertIn("session 1", shown.out)
                self.assertNotIn("data-without-rcpt", shown.out)
                self.assertNotIn("junk", shown.out)
                packed = self.file(f"{name}.gz", gzip.compress(path.read_bytes()))
                self.assertEqual(run("show", packed).out.count("250"), shown.out.count("250"))
                piped = run("show", "-", stdin=path.read_bytes())
                self.assertEqual((piped.code, piped.out.count("250")), (0, shown.out.count("250")))

    def test_exchange_ehlo_is_taken_apart_and_the_login_stays_in_step(self):
        (session,) = document(LOGS / "exchange-receive.log")["sessions"]
        self.assertEqual(session["transactions"][0]["outcome"], "accepted")
        self.assertFalse({"ext-command-unadvertised", "ext-param-unadvertised"} & set(rules(session)))
        self.assertEqual([e["kind"] for e in session["entries"]].count("auth-response"), 2)

    def test_times_that_are_not_there(self):
        result = run("show", LOGS / "swaks.txt")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertNotIn("+0.000", result.out)
        self.assertNotIn("1970", result.out)
        self.assertNotRegex(result.out, r"took [0-9]")

    def test_ssmtp_holds_its_messages(self):
        (session,) = document(LOGS / "ssmtp-v.txt")["sessions"]
        self.assertGreater(session["transactions"][0]["message"]["facts"]["octets"], 100)
        self.assertNotIn("unseen", session["transactions"][0]["message"]["facts"])

    def test_two_logs_are_compared(self):
        result = run("diff", LOGS / "postfix-origin.log", LOGS / "ssmtp-v.txt")
        self.assertEqual(result.code, 1)
        self.assertIn("RSET", result.out)

    def test_lines_that_cannot_be_read_are_counted(self):
        spoiled = (LOGS / "postfix-origin.log").read_bytes() + b"what is this, postfix/smtpd?\n" * 3
        result = run("show", self.file("spoiled.log", spoiled))
        self.assertEqual(result.code, 2)
        self.assertIn("3 lines could not be read; the first is line 29", result.err)
        self.assertIn("txn-replayed-after-rset", result.out)

    def test_a_rotated_log_is_one_run(self):
        lines = [f"Nov 24 10:00:0{second} mx postfix/smtpd[7]: {text}\n".encode() for second, text in enumerate(
            ["connect from c[192.0.2.1]", "> c[192.0.2.1]: 220 mx ESMTP", "< c[192.0.2.1]: EHLO c",
             "> c[192.0.2.1]: 250 mx", "< c[192.0.2.1]: QUIT", "> c[192.0.2.1]: 221 Bye",
             "disconnect from c[192.0.2.1]"])]
        whole = self.file("whole.log", b"".join(lines))
        # Its last line end is missing where it was cut.
        oldest = self.file("mail.log.2.gz", gzip.compress(b"".join(lines[:3]).rstrip(b"\n")))
        older = self.file("mail.log.1", b"".join(lines[3:5]))
        newest = self.file("mail.log", b"".join(lines[5:]))
        told = run("show", "-f", "jsonl", whole).out.splitlines()[1:]
        for order in ([oldest, older, newest], [newest, older, oldest]):
            joined = run("show", "-f", "jsonl", *order)
            self.assertEqual(joined.out.splitlines()[1:], told)
        # Others stay runs of their own, and so do captures.
        self.assertEqual(run("show", "-f", "jsonl", whole, oldest, older, newest).out.count('"event":"run"'), 2)
        capture = Capture()
        quiet_session(capture, 1)
        first, second = self.file("a.smtpcap", capture), self.file("a.smtpcap.1", capture)
        self.assertEqual(run("show", "-f", "jsonl", first, second).out.count('"event":"run"'), 2)

    def test_a_part_of_a_rotated_log_that_is_damaged_is_named(self):
        packed = gzip.compress(b"Nov 24 10:00:00 mx postfix/smtpd[7]: > c[192.0.2.1]: 220 mx ESMTP\n" * 99)
        older = self.file("mail.log.1.gz", packed[:-9])
        newest = self.file("mail.log", b"Nov 24 10:00:01 mx postfix/smtpd[7]: < c[192.0.2.1]: QUIT\n")
        self.assertIn("mail.log.1.gz: its compression has no end", run("show", older, newest).err)

    def test_what_is_no_log(self):
        for text, why in ((b"Nov 25 12:00:00 mx cron[7]: nothing to see\n" * 9,
                           "no greeting, command or reply (line 1: Nov 25 12:00:00 mx cron[7]"),
                          (b"\0" * 5000, "it is no text"),
                          (b"2026-11-25 12:00:00 1xW2sO-0005Xz-04 <= a@example.com\n",
                           "it looks like Exim's main log")):
            result = run("show", self.file("other.log", text))
            self.assertEqual((result.code, result.out), (2, ""))
            self.assertIn(why, result.err)

    def test_a_format_can_be_named(self):
        text = self.file("x", b"C: QUIT\nS: 221 bye\n")
        self.assertIn("221 bye", run("show", "--as", "dialogue", text).out)
        self.assertEqual(run("show", "--as", "postfix", text).out.count("221"), 0)
        wrong = run("show", "--as", "dialog", text)
        self.assertEqual(wrong.code, 2)
        self.assertIn("did you mean dialogue?", wrong.err)

    def test_formats_are_listed(self):
        listed = run("formats")
        self.assertEqual(listed.code, 0)
        for name in ("pcapng", "postfix", "phpmailer", "dialogue"):
            self.assertIn(f"\n{name} ", listed.out)


if __name__ == "__main__":
    unittest.main()
