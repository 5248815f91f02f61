#!/usr/bin/env python3
"""The live page with a real Postfix behind the proxy: a session is seen while it runs, and what became of its mail."""

import os
import re
import smtplib
import sys
import unittest
from pathlib import Path

if os.geteuid() != 0:  # Postfix insists on being started by root
    kept = [f"{name}={os.environ[name]}" for name in ("PATH", "SMTPSCOPE", "SMTPSCOPE_ROOT") if name in os.environ]
    os.execvp("sudo", ["sudo", "-n", "env", *kept, sys.executable, "-B", *sys.argv])
os.umask(0o022)

from browser import DEADLINE, PageTest  # noqa: E402
from live_test import Served, page_of, smtp_port  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))
from postfix import Postfix  # noqa: E402


class RealServer(PageTest):
    def test_mail_to_postfix(self):
        postfix = self.enterContext(Postfix())
        served = Served("proxy", "--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{postfix.port}", "-f", "none", "--web", "127.0.0.1:0",
                        "--grace", "0s", "-w", self.folder / "postfix.smtpcap")
        self.addCleanup(served.stop)
        self.resize(1280, 800)
        self.browser.get(page_of(served))
        outcome = "return document.querySelector('tr[data-key=\"1\"] .out')?.innerText.includes(arguments[0])"
        with smtplib.SMTP("127.0.0.1", smtp_port(served), timeout=DEADLINE) as client:
            client.ehlo("host.example.com")
            self.wait(outcome, "owes a command")
            client.mail("alice@example.com")
            self.assertEqual(client.rcpt("nobody-at-all@example.net")[0], 550)
            client.rcpt("bob@example.net")
            code, words = client.data(b"Subject: seen\r\n\r\nHello\r\n")
            self.assertEqual(code, 250)
            self.script("location.hash = '#s=1'")
            self.wait("return document.querySelector('.tl')?.innerText.includes('queued as')")
        queue_id = re.search(rb"queued as (\w+)", words)[1].decode()
        self.wait("return document.querySelector('.tl')?.innerText.includes('server closes')")
        self.assertIn(queue_id, self.text(".tl"))
        self.assertIn("Recipient address rejected", self.text(".tl"))
        self.script("location.hash = '#'")
        self.wait(outcome, "in part")
        self.assertEqual(len(postfix.mail("bob@example.net")), 1)
        self.browser.get("about:blank")


if __name__ == "__main__":
    unittest.main()
