"""A smtpscope that is killed leaves a capture that can be read up to its last whole line."""

import smtplib
import tempfile
import unittest
from pathlib import Path

import clients
import root
from follow import DEADLINE, FollowedFile
from postfix import Postfix
from smtpscope import Proxy, sessions, show_result


class Kill(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postfix = cls.enterClassContext(Postfix())

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def killed_after(self, talk, last_words):
        """The capture of a session that `talk`(client) has begun, killed once `last_words` are in it."""
        with Proxy(f"127.0.0.1:{self.postfix.port}", self.folder) as proxy:
            client = smtplib.SMTP("127.0.0.1", proxy.port, "client.example", DEADLINE)
            try:
                talk(client)
                capture = FollowedFile(proxy.capture)
                try:
                    capture.wait_for(last_words)
                finally:
                    capture.close()
                proxy.kill()
            finally:
                client.close()
        return proxy.capture

    def test_within_a_transaction(self):
        def talk(client):
            client.ehlo()
            client.mail(clients.SENDER)
            client.rcpt("bob@example.net")

        capture = self.killed_after(talk, "2.1.5 Ok")
        result = show_result(capture, "-f", "text")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("250 2.1.5 Ok", result.stdout)
        (session,) = sessions(capture)
        self.assertEqual(session.verbs(), ["EHLO", "MAIL", "RCPT"])

    def test_within_a_message(self):
        def talk(client):
            client.ehlo()
            client.mail(clients.SENDER)
            client.rcpt("bob@example.net")
            client.docmd("DATA")
            client.send(b"Subject: half\r\n\r\nhalf a message\r\n")

        capture = self.killed_after(talk, "half a message")
        (session,) = sessions(capture)
        self.assertEqual(session.verbs(), ["EHLO", "MAIL", "RCPT", "DATA"])

    def test_cut_anywhere_in_the_last_line(self):
        def talk(client):
            client.ehlo()
            client.mail(clients.SENDER)

        whole = self.killed_after(talk, "2.1.0 Ok").read_bytes()
        self.assertTrue(whole.endswith(b"\n"))
        start = whole.rindex(b"\n", 0, len(whole) - 1) + 1
        self.assertIn(b"2.1.0 Ok", whole[start:])
        cut = self.folder / "cut.smtpcap"
        for at in sorted({start + 1, (start + len(whole)) // 2, len(whole) - 1}):
            with self.subTest(octets_left=at - start):
                cut.write_bytes(whole[:at])
                result = show_result(cut)
                # Python's smtplib has changed its mind about the case.
                self.assertRegex(result.stdout, "mail (FROM|from):<alice@example.com>")
                self.assertNotIn("2.1.0 Ok", result.stdout)
                self.assertIn("cut", result.stderr)


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
