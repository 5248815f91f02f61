#!/usr/bin/env python3
"""The timelines in examples/ and README.md are what smtpscope prints today.

usage: SMTPSCOPE=path/to/smtpscope examples_test.py [--approve]      --approve writes them anew
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
README = ROOT / "README.md"

# What each file beside a capture is made with.
FORMATS = {
    ".txt": ["-f", "text", "--width", "110"],
    ".json": ["-f", "json"],
    ".jsonl": ["-f", "jsonl"],
}

# The README shows this one between its first code fences with a session in them.
SHOWN = EXAMPLES / "origin.txt"
FENCED = re.compile(r"(?<=```text\n)session 1 .*?(?=```\n)", re.S)


def captures():
    return sorted(EXAMPLES.glob("*.smtpcap"))


def made(capture, options):
    """What smtpscope prints; the name in it is the capture's, without a folder."""
    run = subprocess.run(
        [os.environ["SMTPSCOPE"], "show", capture.name, *options],
        cwd=EXAMPLES,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if run.returncode != 0 or run.stderr:
        raise AssertionError(f"show {capture.name}: {run.returncode} {run.stderr.decode()}")
    return run.stdout.decode()


def approve():
    for capture in captures():
        for suffix, options in FORMATS.items():
            capture.with_suffix(suffix).write_text(made(capture, options))
    timeline = SHOWN.read_text()
    README.write_text(FENCED.sub(lambda _: timeline, README.read_text(), count=1))


class Examples(unittest.TestCase):
    maxDiff = None

    def test_there_are_some(self):
        self.assertIn(SHOWN.with_suffix(".smtpcap"), captures())

    def test_timelines(self):
        for capture in captures():
            for suffix, options in FORMATS.items():
                with self.subTest(capture=capture.name, format=suffix):
                    self.assertEqual(
                        capture.with_suffix(suffix).read_text(), made(capture, options)
                    )

    def test_readme(self):
        shown = FENCED.search(README.read_text())
        self.assertIsNotNone(shown)
        self.assertEqual(shown[0], SHOWN.read_text())


if __name__ == "__main__":
    if not os.environ.get("SMTPSCOPE"):
        sys.exit(__doc__)
    if sys.argv[1:] == ["--approve"]:
        approve()
    else:
        unittest.main()
