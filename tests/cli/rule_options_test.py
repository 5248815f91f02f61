#!/usr/bin/env python3
"""Which rules are asked, with which thresholds, and what scripts are told of their findings."""

import json
import unittest

from program import Capture, ProgramTest, quiet_session, replayed_session, run


def rules_of(output):
    return {a["rule"] for s in json.loads(output)["sessions"] for a in s["annotations"]}


class Choice(ProgramTest):
    def setUp(self):
        super().setUp()
        capture = Capture()
        replayed_session(capture, 1)
        self.capture = self.file("a.smtpcap", capture)

    def show(self, *arguments):
        result = run("show", "-f", "json", self.capture, *arguments)
        self.assertEqual((result.code, result.err), (0, ""))
        return result.out

    def test_off_by_id(self):
        self.assertIn("txn-replayed-after-rset", rules_of(self.show()))
        self.assertNotIn("txn-replayed-after-rset",
                         rules_of(self.show("--off", "txn-replayed-after-rset")))

    def test_off_by_category_and_on_by_id(self):
        self.assertIn("gap-client", rules_of(self.show()))
        self.assertNotIn("gap-client", rules_of(self.show("--off", "timing")))
        found = rules_of(self.show("--off", "transaction,timing", "--on", "gap-client"))
        self.assertIn("gap-client", found)
        self.assertNotIn("txn-aborted-rset", found)

    def test_off_all(self):
        self.assertEqual(rules_of(self.show("--off", "all")), set())

    def test_gap(self):
        (session,) = json.loads(self.show("--gap", "20s"))["sessions"]
        self.assertEqual(session["silences"], [])
        (session,) = json.loads(self.show("--set", "gap.note=5s"))["sessions"]
        self.assertEqual(len(session["silences"]), 1)

    def test_json_records_the_choice(self):
        rules = json.loads(self.show())["rules"]
        self.assertEqual(rules["off"], [])
        self.assertEqual(rules["thresholds"]["gap.note"], "950ms")
        rules = json.loads(self.show("--gap", "2s", "--set", "eod-reply-slow.notice=20s", "--off",
                                     "rset-noop"))["rules"]
        self.assertEqual(rules["off"], ["rset-noop"])
        self.assertEqual(rules["thresholds"]["gap.note"], "2s")
        self.assertEqual(rules["thresholds"]["eod-reply-slow.notice"], "20s")
        # What was recorded can be given back.
        again = [f"--set={name}={value}" for name, value in rules["thresholds"].items()]
        self.assertEqual(json.loads(self.show(*again))["rules"]["thresholds"], rules["thresholds"])

    def test_wrong_choice(self):
        for arguments, words in ((["--off", "timming"], "Did you mean 'timing'?"),
                                 (["--on", "rset-nop"], "Did you mean 'rset-noop'?"),
                                 (["--set", "gap.not=2s"], "Did you mean 'gap.note'?"),
                                 (["--set", "gap.note"], "RULE.key=value"),
                                 (["--set", "gap.note=soon"], "a time such as 2s"),
                                 (["--gap", "never"], "its standard value is 950ms")):
            for command in (["show", self.capture],
                            ["proxy", "--listen", "0", "--upstream", "sink"]):
                with self.subTest(command=command[0], arguments=arguments):
                    self.assert_fails(run(*command, *arguments), words)


class FailOn(ProgramTest):
    def code(self, tell, *arguments):
        capture = Capture()
        tell(capture, 1)
        return run("show", self.file("a.smtpcap", capture), *arguments).code

    def test_found(self):
        self.assertEqual(self.code(replayed_session), 0)
        self.assertEqual(self.code(replayed_session, "--fail-on", "info"), 1)
        self.assertEqual(self.code(replayed_session, "--fail-on", "warning"), 1)
        self.assertEqual(self.code(replayed_session, "--fail-on", "error"), 0)

    def test_not_found(self):
        self.assertEqual(self.code(quiet_session, "--fail-on", "warning"), 0)

    def test_what_is_off_or_folded_is_not_found(self):
        self.assertEqual(self.code(replayed_session, "--fail-on", "info", "--off", "all"), 0)
        self.assertEqual(
            self.code(replayed_session, "--fail-on", "warning", "--off",
                      "txn-replayed-after-rset,interception-suspected"), 0)

    def test_in_any_file(self):
        quiet, replayed = Capture(), Capture()
        quiet_session(quiet, 1)
        replayed_session(replayed, 1)
        files = self.file("quiet.smtpcap", quiet), self.file("replayed.smtpcap", replayed)
        self.assertEqual(run("show", *files, "--fail-on", "warning").code, 1)
        self.assertEqual(run("show", *reversed(files), "--fail-on", "warning").code, 1)

    def test_failure_goes_before(self):
        capture = Capture()
        replayed_session(capture, 1)
        result = run("show", self.file("a.smtpcap", capture), self.folder / "none.smtpcap",
                     "--fail-on", "warning")
        self.assertEqual(result.code, 2)

    def test_wrong_severity(self):
        self.assert_fails(run("show", "x", "--fail-on", "grave"), "smtpscope show --help")


class Summary(ProgramTest):
    def two_sessions(self):
        capture = Capture()
        quiet_session(capture, 1)
        replayed_session(capture, 2, 100)
        return self.file("a.smtpcap", capture)

    def test_table(self):
        result = run("show", self.two_sessions())
        self.assertEqual((result.code, result.err), (0, ""))
        table = result.out[result.out.index("summary of the run"):]
        for words in ("sessions      2 (1 with warning)", "transactions  2: 1 accepted, 1 aborted",
                      "warning txn-replayed-after-rset", "session 2, client silent (a command)",
                      "192.0.2.1: 1 session", "192.0.2.2: 1 session, 1 of 2 transactions delivered"):
            self.assertIn(words, table)

    def test_one_session_needs_none(self):
        capture = Capture()
        quiet_session(capture, 1)
        self.assertNotIn("summary", run("show", self.file("a.smtpcap", capture)).out)

    def test_json(self):
        document = json.loads(run("show", "-f", "json", self.two_sessions()).out)
        (made,) = document["runs"]
        summary = made["summary"]
        self.assertEqual(summary["sessions"], 2)
        self.assertEqual(summary["outcomes"], {"accepted": 1, "aborted": 1})
        self.assertIn("txn-replayed-after-rset", [r["rule"] for r in summary["rules"]])
        self.assertEqual([c["client"] for c in summary["clients"]], ["192.0.2.1", "192.0.2.2"])


if __name__ == "__main__":
    unittest.main()
