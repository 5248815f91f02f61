"""Scenarios as a user meets them: the language, and what a run under one looks like."""

import json
import os
import smtplib
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "real"))

from follow import DEADLINE  # noqa: E402
from smtpscope import BINARY, Proxy, show  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

MAIL = "Subject: x\r\n\r\nhello\r\n"


def run(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=DEADLINE, check=False)


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Language(InFolder):
    def test_a_file_is_checked(self):
        file = self.folder / "a.scenario"
        file.write_text("# fine\nhide DSN\nRCPT 2: reply \"450 no\"\n")
        done = run("scenario", "--check", file)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("2 lines", done.stdout)
        file.write_text("hide DSN\nRCPT 2: reply 450\nhidee X\n")
        done = run("scenario", "--check", file)
        self.assertEqual(done.returncode, 2)
        self.assertIn("a.scenario:2:15: got '450', expected text in double quotes", done.stderr)
        self.assertIn("a.scenario:3:1: got 'hidee', expected one of hide,", done.stderr)

    def test_what_there_is_is_listed(self):
        done = run("scenario")
        self.assertEqual(done.returncode, 0)
        for word in ("hide KEYWORDS", "reply to final dot", "every NTH session", "greylisting"):
            self.assertIn(word, done.stdout)
        self.assertIn("first 2 sessions", run("scenario", "--show", "greylisting").stdout)
        self.assertEqual(run("scenario", "--show", "nothing").returncode, 2)

    def test_the_proxy_refuses_what_is_wrong(self):
        for options, words in (
            (["--what-if", "hide"], "--what-if:5: got the end of it"),
            (["--scenario", "greylistin"], "did you mean 'greylisting'?"),
            (["--scenario", self.folder / "none.scenario"], "cannot read"),
            (["--what-if", "hide X", "--tls", "strip"], "hide STARTTLS"),
            (["--what-if", "TLS: fail handshake", "--tls", "intercept"], "--tls"),
        ):
            done = run("proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", *options)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)


class Played(InFolder):
    def play(self, dialogue, *lines):
        """The records of a session in which `dialogue(port)` was under these lines."""
        options = [word for line in lines for word in ("--what-if", line)] + ["--grace", "1s"]
        with Proxy("sink", self.folder, *options, "-f", "jsonl") as proxy:
            dialogue(proxy.port)
            live = proxy.finish()
        self.said = "\n".join(proxy.errors.rest())
        records = [json.loads(line) for line in live.splitlines()]
        again = show(proxy.capture, "-f", "jsonl")
        self.assertEqual(live.splitlines()[1:-1], again.splitlines()[1:-1])
        self.capture = proxy.capture
        if jsonschema:
            schema = json.loads((ROOT / "docs" / "timeline.schema.json").read_text())
            record = {"$ref": "#/$defs/record", "$defs": schema["$defs"]}
            validator = jsonschema.Draft202012Validator(record)
            for one in records:
                self.assertEqual([e.message for e in validator.iter_errors(one)], [], one)
        return records

    @staticmethod
    def mail(port):
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=DEADLINE) as client:
                client.sendmail("a@example.com", ["b@example.net", "c@example.net"], MAIL)
        except (smtplib.SMTPException, OSError):
            pass  # the scenario wants it so

    def assert_altered(self, records, line):
        self.assertIn(line, [one.get("scenario") for one in records if one["event"] == "rewritten"] +
                      [one.get("reason", "").removeprefix("the scenario: ") for one in records])
        verdict = [one for record in records if record["event"] == "session-ended" for one in record["verdict"]]
        self.assertIn(line, " ".join(one["text"] for one in verdict if one["kind"] == "altered"))

    def test_no_rule_accuses_the_server_of_what_the_scenario_did(self):
        for line in ('RCPT: reply "550 5.1.1 nobody"', 'RCPT 2: reply "452 4.5.3 many"',
                     'final dot: reply "451 4.3.0 full"', "final dot: reset", "final dot: close",
                     'MAIL: reply "421 4.3.2 down"', 'greeting: reply "554 5.7.1 no"', "DATA: reset",
                     'connect: reply "421 4.7.0 busy"', 'EHLO: reply "500 what"',
                     'replace reply to RCPT "250" with "450"', "server: slice 7 every 1ms"):
            with self.subTest(line):
                records = self.play(self.mail, line)
                self.assert_altered(records, line)
                against = [one for one in records if one["event"] == "annotation" and one.get("fault") == "server"]
                self.assertEqual(against, [])
                (self.folder / "run.smtpcap").unlink()

    def test_using_what_was_hidden_is_a_finding(self):
        def chunk(port):
            with smtplib.SMTP("127.0.0.1", port, timeout=DEADLINE) as client:
                client.ehlo()
                client.mail("a@example.com")
                client.rcpt("b@example.net")
                client.send(b"BDAT 2 LAST\r\nx\n")
                client.getreply()
        records = self.play(chunk, "hide CHUNKING")
        rules = {one["rule"]: one for one in records if one["event"] == "annotation"}
        self.assertIn("ext-command-unadvertised", rules, sorted(rules))
        self.assertEqual(rules["ext-command-unadvertised"]["fault"], "client")

    def test_a_line_of_no_use_is_told(self):
        self.play(self.mail, "hide NOSUCH", "hide SIZE")
        self.assertIn("was of no use: --what-if: hide NOSUCH", self.said)
        self.assertNotIn("hide SIZE", self.said)

    def test_a_capture_under_a_scenario_can_be_redacted(self):
        self.play(self.mail, 'RCPT 2: reply "450 4.2.0 secretname.example says no"')
        out = self.folder / "redacted.smtpcap"
        done = run("redact", self.capture, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("secretname", out.read_text())
        self.assertIn("altered", show(out))


if __name__ == "__main__":
    unittest.main()
