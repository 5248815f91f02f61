#!/usr/bin/env python3
"""smtpscope show -f transcript and -f markdown: what they write is read back as it was."""

import difflib
import os
import re
import subprocess
import unittest
from pathlib import Path

from packets import Packets, short_session
from program import Capture, ProgramTest, quiet_session, run

READERS = Path(__file__).resolve().parents[1] / "readers"


class Transcripts(ProgramTest):
    def inputs(self):
        packets = Packets()
        for number in range(3):
            short_session(packets, client_port=40000 + number)
        capture = Capture()
        quiet_session(capture, 1)
        yield self.file("packets.pcap", packets.octets)
        yield self.file("own.smtpcap", capture)
        yield from sorted((READERS / "logs").iterdir())
        yield from sorted((READERS / "pasted").glob("*.txt"))

    def test_what_is_written_is_read_back(self):
        for path in self.inputs():
            shown = run("show", path)
            for form in ("transcript", "markdown"):
                with self.subTest(file=path.name, form=form):
                    written = run("show", "-f", form, path)
                    self.assertEqual(written.code, shown.code)
                    again = run("show", self.file("again.txt", written.out.encode()))
                    self.assertEqual(again.out, shown.out)
                    self.assertEqual((again.code, again.err), (0, ""))

    def test_every_transcript_of_the_timeline(self):
        """The hundreds of them at once: written as one text, and read back from as many."""
        captures, texts = self.folder / "captures", self.folder / "texts"
        captures.mkdir()
        texts.mkdir()
        subprocess.run([os.environ["TRANSCRIPT_CAPTURES"], captures], check=True)
        names = sorted(path.name for path in captures.iterdir())
        written = run("show", "-f", "transcript", *names, cwd=captures).out
        parts = re.split(r"(?m)^(?=# smtpscope transcript 1 of )", written)[1:]
        self.assertEqual(len(parts), len(names))
        for name, part in zip(names, parts):
            (texts / name).write_text(part, encoding="utf-8")
        shown, again = (run("show", *names, cwd=folder) for folder in (captures, texts))
        self.assertEqual(again.err, "")
        differ = [line for line in difflib.unified_diff(shown.out.split("\n"), again.out.split("\n"), lineterm="", n=0)]
        self.assertEqual(differ, [])

    def test_logins_are_masked(self):
        for form in ("transcript", "markdown"):
            written = run("show", "-f", form, READERS / "logs" / "ssmtp-syslog.log").out
            self.assertIn("AUTH LOGIN ########", written)
            self.assertNotIn("dG9wc2VjcmV0", written)

    def test_markdown_says_what_became_of_the_mail(self):
        written = run("show", "-f", "markdown", READERS / "logs" / "postfix-origin.log").out
        self.assertTrue(written.startswith("## SMTP sessions in "))
        self.assertIn("- **Session 1:** ", written)
        self.assertIn("\n### Timeline\n\n~~~~~~text\n", written)

    def test_octets_that_are_no_text(self):
        text = (b"# smtpscope transcript 1 of x, started 2026-11-25T12:00:00Z\n"
                b"S: 220 mx ESMTP\n@ +1.5s\n"
                b'C> raw "NOOP a\\x00b\\t\\\\\\"\\n"\nS: 500 no \nclose client reset\nend\n')
        written = run("show", "-f", "transcript", self.file("odd.txt", text)).out
        self.assertIn('C> raw "NOOP a\\x00b\\t\\\\\\"\\n"\n', written)
        self.assertIn('@ +1.5s\n', written)
        self.assertIn('S> raw "500 no \\r\\n"\n', written)
        self.assertIn("close client reset\n", written)


if __name__ == "__main__":
    unittest.main()
