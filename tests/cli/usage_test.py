#!/usr/bin/env python3
"""Arguments, help, rules and explanations."""

import json
import os
import subprocess
import unittest

from program import CLEAN, PROGRAM, ROOT, ProgramTest, run

SUBCOMMANDS = ("proxy", "show", "demo", "rules", "explain")


class Arguments(ProgramTest):
    def test_none(self):
        result = run()
        self.assertEqual((result.code, result.out), (2, ""))
        for name in SUBCOMMANDS:
            self.assertIn(f"\n  {name} ", result.err)

    def test_help(self):
        result = run("--help")
        self.assertEqual((result.code, result.err), (0, ""))
        for name in SUBCOMMANDS:
            self.assertIn(f"\n  {name} ", result.out)

    def test_help_of_each_has_examples(self):
        for name in SUBCOMMANDS:
            with self.subTest(name):
                result = run(name, "--help")
                self.assertEqual((result.code, result.err), (0, ""))
                self.assertIn(f"Examples:\n  smtpscope {name}", result.out)

    def test_version(self):
        result = run("--version")
        self.assertEqual(result.code, 0)
        self.assertRegex(result.out, r"\Asmtpscope \d+\.\d+\.\d+\n\Z")

    def test_unknown_subcommand(self):
        self.assert_fails(run("shwo", "x.smtpcap"), "'shwo'", "Did you mean 'show'?")
        self.assert_fails(run("capture"), "'capture'", "explain")

    def test_unknown_option(self):
        self.assert_fails(run("--nonsense"), "--nonsense", "smtpscope --help")
        for name in SUBCOMMANDS:
            with self.subTest(name):
                self.assert_fails(run(name, "--nonsense", "1"), f"smtpscope {name} --help")

    def test_missing_and_wrong_values(self):
        for arguments in (["show"], ["explain"], ["show", "x", "-f", "yaml"],
                          ["show", "x", "--color", "blue"], ["show", "x", "--width", "wide"],
                          ["show", "x", "--width", "-1"], ["show", "x", "--session", "0"],
                          ["show", "x", "--session", "1,a"], ["show", "x", "--session", "-3"],
                          ["show", "x", "--severity", "error"], ["show", "-o"],
                          ["rules", "--category", "none"], ["rules", "--severity", "none"],
                          ["rules", "--json", "--markdown"], ["rules", "timing"],
                          ["explain", "a", "b"]):
            with self.subTest(arguments):
                self.assert_fails(run(*arguments), f"smtpscope {arguments[0]} --help")

    def test_a_name_cannot_drive_the_terminal(self):
        result = run("\x1b]0;owned\x07")
        self.assert_fails(result, "\\x1B]0;owned\\x07")
        self.assert_fails(run("show", "\x1b[2J"), "\\x1B[2J")


class Rules(ProgramTest):
    def test_list(self):
        result = run("rules")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertRegex(result.out, r"(?m)^rset-noop +info +transaction +\S")

    def test_filters(self):
        every = run("rules").out.splitlines()
        timing = run("rules", "--category", "timing").out.splitlines()
        self.assertTrue(timing)
        self.assertEqual(ids(timing), [i for i in ids(every) if i in ids(timing)])
        rules = json.loads(run("rules", "--json").out)
        self.assertEqual(ids(timing), [r["id"] for r in rules if r["category"] == "timing"])
        errors = run("rules", "--severity", "error").out.splitlines()
        self.assertEqual(ids(errors), [r["id"] for r in rules if r["severity"] == "error"])

    def test_json_says_everything(self):
        for rule in json.loads(run("rules", "--json").out):
            with self.subTest(rule["id"]):
                self.assertEqual(set(rule), {"id", "category", "severity", "fault", "title", "means",
                                             "caveats", "reference"})
                self.assertTrue(rule["means"])
                explained = run("explain", rule["id"])
                self.assertEqual(explained.code, 0)
                self.assertIn(rule["title"], " ".join(explained.out.split()))

    def test_page_in_docs_is_up_to_date(self):
        page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
        self.assertEqual(run("rules", "--markdown").out, page, "run script/approve-golden")

    def test_explain(self):
        result = run("explain", "rset-noop")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertTrue(result.out.startswith("rset-noop: "))
        self.assertIn("Reference: RFC 5321 4.1.1.5", result.out)
        self.assertLessEqual(max(map(len, result.out.splitlines())), 88)

    def test_explain_unknown(self):
        self.assert_fails(run("explain", "rset-nop"), "Did you mean 'rset-noop'?")
        self.assert_fails(run("explain", "greylisting-of-doom"), "smtpscope rules")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            self.assert_fails(run("rules", stdout=full), "standard output", "No space left")

    def test_reader_that_has_gone(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as gone:
            done = subprocess.run([PROGRAM, "rules"], stdout=gone, stderr=subprocess.PIPE, env=CLEAN,
                                  timeout=30, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


def ids(lines):
    return [line.split()[0] for line in lines]


if __name__ == "__main__":
    unittest.main()
