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
                          ["rules", "--json", "--markdown"], ["rules", "--thresholds", "--json"],
                          ["rules", "--thresholds", "--markdown"], ["rules", "timing"],
                          ["completion"], ["completion", "tcsh"], ["man", "a", "b"],
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
                self.assertEqual(set(rule), {
                    "id", "category", "severity", "fault", "certainty", "title", "means", "causes",
                    "tell_apart", "advice", "caveats", "reference", "needs", "uses",
                    "thresholds"})
                for words in ("means", "causes", "tell_apart", "advice", "reference"):
                    self.assertTrue(rule[words], words)
                explained = run("explain", rule["id"])
                self.assertEqual(explained.code, 0)
                self.assertLessEqual(max(map(len, explained.out.splitlines())), 88)
                self.assert_explains(rule, sections(explained.out))

    def assert_explains(self, rule, told):
        """The sections of an explanation hold the words of a rule, and no section is empty."""
        self.assertIn(rule["title"], told.pop("")[0])
        self.assertEqual(told.pop("What it means"), flat(rule["means"].splitlines()))
        for heading, name in (("Likely causes, most likely first", "causes"),
                              ("What to do", "advice")):
            numbered = [f"{n}. {one}" for n, one in enumerate(rule[name], 1)]
            self.assertEqual(told.pop(heading), flat(numbered))
        for heading, name in (("How to tell them apart", "tell_apart"), ("May mislead", "caveats"),
                              ("Reference", "reference")):
            if rule[name]:
                self.assertEqual(told.pop(heading), flat(rule[name].splitlines()))
        if rule["thresholds"]:
            words = told.pop("Thresholds")[0]
            for threshold in rule["thresholds"]:
                shown = " ".join(f"{threshold['name']} {threshold['default']} {threshold['words']}"
                                 .split())
                self.assertIn(shown, words)
        if rule["needs"]:
            self.assertTrue(told.pop("Needs")[0])
        if rule["uses"]:
            self.assertTrue(told.pop("Says more with")[0])
        self.assertEqual(told, {})

    def test_thresholds(self):
        result = run("rules", "--thresholds")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertRegex(result.out, r"(?m)^gap\.note +950ms  the shortest silence that is reported$")
        listed = ids(result.out.splitlines())
        self.assertEqual(len(listed), len(set(listed)))
        in_json = {t["name"] for r in json.loads(run("rules", "--json").out)
                   for t in r["thresholds"]}
        self.assertEqual(set(listed), in_json)
        self.assertEqual(
            ids(run("rules", "--category", "transaction", "--thresholds").out.splitlines()),
            [n for n in listed if not n.startswith("gap") and n in {
                t["name"] for r in json.loads(run("rules", "--category", "transaction",
                                                  "--json").out) for t in r["thresholds"]}])

    def test_page_in_docs_is_up_to_date(self):
        page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
        self.assertEqual(run("rules", "--markdown").out, page, "run script/approve-golden")

    def test_explain(self):
        result = run("explain", "rset-noop")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertTrue(result.out.startswith("rset-noop: "))
        self.assertIn("\nWhat to do\n  1. ", result.out)
        self.assertIn("\nReference\n  RFC 5321 4.1.1.5", result.out)
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
                                  timeout=240, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))


def flat(lines):
    """What wrapping leaves of lines: their words in one."""
    return [" ".join(" ".join(lines).split())]


def sections(text):
    """The sections of an explanation: heading -> its words; "" for what stands before the first."""
    head, *rest = text.split("\n\n")
    found, heading = {"": head.splitlines()}, ""
    for line in "\n".join(rest).splitlines():
        if not line.startswith(" "):
            heading = line
        else:
            found.setdefault(heading, []).append(line)
    return {heading: flat(lines) for heading, lines in found.items()}


def ids(lines):
    return [line.split()[0] for line in lines]


if __name__ == "__main__":
    unittest.main()
