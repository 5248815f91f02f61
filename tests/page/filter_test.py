#!/usr/bin/env python3
"""One filter language: command line and page are held to the table filters.txt, expression by expression."""

import json
import os
import subprocess
import unittest
from pathlib import Path

from browser import Capture, PROGRAM, PageTest, UTF8, quiet_session, refused_session, replayed_session

TABLE = Path(__file__).parent / "filters.txt"


def rows():
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if " ! " in line:
            expression, fault = line.split(" ! ", 1)
            column, words = fault.split(": ", 1)
            yield expression.strip(), None, (int(column), words)
        else:
            expression, _, sessions = line.rpartition(" =")
            yield expression.strip(), sessions.split(), None


def sessions():
    """As the head of the table tells them."""
    capture = Capture()

    def greeted(ms, session, client):
        capture.event(ms, session, "open", client=client, listener="127.0.0.1:2525", upstream="mx.example:25")
        capture.event(ms, session, "connected", server="198.51.100.7:25", took=10**6)
        capture.server(ms + 1, session, "220 mx ESMTP\r\n")
        capture.client(ms + 2, session, f"EHLO host{session}.example\r\n")
        capture.server(ms + 3, session, "250-mx\r\n250 SIZE 10240000\r\n")

    greeted(0, 1, "192.0.2.1:4000")
    capture.client(4, 1, "MAIL FROM:<alice@example.com>\r\n")
    capture.server(5, 1, "250 2.1.0 Ok\r\n")
    capture.client(6, 1, "RCPT TO:<bob@example.net>\r\n")
    capture.server(7, 1, "250 2.1.5 Ok\r\n")
    capture.client(8, 1, "DATA\r\n")
    capture.server(9, 1, "354 go\r\n")
    capture.client(10, 1, "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <4711.greetings@a>\r\n\r\nHello\r\n.\r\n")
    capture.server(11, 1, "250 2.0.0 queued\r\n")
    capture.client(12, 1, "QUIT\r\n")
    capture.server(13, 1, "221 2.0.0 bye\r\n")
    capture.end(14, 1)
    refused_session(capture, 2, 60_000)
    greeted(120_000, 3, "[2001:db8::3]:4000")
    capture.client(120_004, 3, "QUIT\r\n")
    capture.server(120_005, 3, "221 2.0.0 bye\r\n")
    capture.end(120_006, 3)
    replayed_session(capture, 4, 180_000)
    capture.event(240_000, 5, "open", client="198.51.100.5:4000", listener="127.0.0.1:2525", upstream="mx.example:25",
                  route="Submission-2")
    capture.event(240_001, 5, "failed", reason="mx.example:25: connection refused")
    capture.end(240_002, 5)
    greeted(300_000, 6, "192.0.2.66:4000")
    capture.client(300_004, 6, "STARTTLS\r\n")
    capture.server(300_005, 6, "502 5.5.1 not implemented\r\n")
    capture.client(300_006, 6, "MAIL FROM:<>\r\n")
    capture.server(300_007, 6, "250 2.1.0 Ok\r\n")
    capture.client(300_008, 6, "RCPT TO:<Bob@EXAMPLE.net>\r\n")
    capture.server(300_009, 6, "451 4.7.1 Greylisted, try again in 300 s\r\n")
    capture.client(300_010, 6, "QUIT\r\n")
    capture.server(300_011, 6, "221 2.0.0 bye\r\n")
    capture.end(300_012, 6)
    greeted(360_000, 7, "192.0.2.7:4000")
    capture.client(360_004, 7, "NOOP\r\n")
    return capture


class Filters(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.capture = cls.folder / "sessions.smtpcap"
        cls.capture.write_bytes(sessions().octets())

    def command_line(self, expression, *more):
        return subprocess.run([PROGRAM, "show", "-f", "jsonl", "--filter", expression, *more, self.capture], env={**UTF8, "TZ": "UTC"},
                              capture_output=True, text=True, timeout=240, check=False)

    def test_the_command_line(self):
        for expression, wanted, fault in rows():
            with self.subTest(filter=expression):
                done = self.command_line(expression)
                if fault:
                    column, words = fault
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(f"column {column}: {words}", done.stderr)
                else:
                    self.assertEqual(done.returncode, 0, done.stderr)
                    kept = {str(record["session"]) for record in map(json.loads, done.stdout.splitlines()) if record.get("session")}
                    self.assertEqual(sorted(kept), wanted)

    def test_the_page(self):
        self.open(self.report("sessions", self.capture))
        for expression, wanted, fault in rows():
            with self.subTest(filter=expression):
                kept, said = self.script("""
                    const input = document.querySelector('#filter');
                    input.value = arguments[0];
                    input.dispatchEvent(new Event('input'));
                    return [[...document.querySelectorAll('tr[data-key]')].map((row) => row.dataset.key).sort(), document.querySelector('.fault').textContent]""",
                                         expression)
                if fault:
                    column, words = fault
                    self.assertIn(f"column {column}: {words}", said)
                else:
                    self.assertEqual((kept, said), (wanted, ""))

    def test_every_format_of_show(self):
        for form in ("text", "json", "html"):
            done = subprocess.run([PROGRAM, "show", "-f", form, "--filter", "from:carol", self.capture], env=UTF8, capture_output=True,
                                  text=True, timeout=240, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            if form == "json":
                self.assertEqual([one["session"] for one in json.loads(done.stdout)["sessions"]], [2])
            elif form == "text":
                self.assertIn("carol@example.org", done.stdout)
                self.assertNotIn("alice@example.com", done.stdout)

    def test_with_findings(self):
        done = self.command_line("from:alice or from:carol", "--only-annotated", "--severity", "warning")
        kept = {record["session"] for record in map(json.loads, done.stdout.splitlines()) if record.get("session")}
        self.assertEqual(kept, {4})

    def test_a_link_has_it(self):
        page = self.report("linked", self.capture)
        self.open(page, "#q=from%3Acarol")
        self.assertEqual(self.script("return [...document.querySelectorAll('tr[data-key]')].map((row) => row.dataset.key)"), ["2"])
        self.assertEqual(self.script("return document.querySelector('#filter').value"), "from:carol")

    def test_completion(self):
        self.open(self.report("completed", self.capture))
        offered = self.script("""
            const input = document.querySelector('#filter');
            input.value = 'from:alice outcome:re';
            input.dispatchEvent(new Event('input'));
            return [...document.querySelectorAll('#keys option')].map((one) => one.value)""")
        self.assertEqual(offered, ["from:alice outcome:refused"])

    def test_chips(self):
        self.open(self.report("chips", self.capture))
        self.script("[...document.querySelectorAll('.chip')].find((one) => one.innerText.includes('refused')).click()")
        self.assertEqual(self.script("return document.querySelector('#filter').value"), "outcome:refused")
        self.assertEqual(len(self.texts("tr[data-key]")), 2)
        self.assertEqual(os.path.basename(self.browser.current_url.split("#")[1]), "q=outcome%3Arefused")


if __name__ == "__main__":
    unittest.main()
