"""The story that smtpscope was made for, with the real client and the real server.

mutt and sSMTP -> a mail scanner -> smtpscope -> Postfix: the server sees an envelope, RSET, a
second RSET, a silence, and the same envelope again with the message.
"""

import tempfile
import unittest
from pathlib import Path

import clients
import root
from postfix import Postfix
from scanner import Scanner
from smtpscope import Proxy, sessions, show

MESSAGE = (
    b"From: alice@example.com\nTo: bob@example.net\nSubject: figures\n\n"
    b"First line.\n.A line with a dot.\nLast line.\n"
)
SCAN = 3.0  # s; a length that the round-pause rule knows


class Origin(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.postfix = self.enterContext(Postfix())

    def test_behind_the_scanner(self):
        with Proxy(f"127.0.0.1:{self.postfix.port}", self.folder) as proxy:
            with Scanner(proxy.port, SCAN) as scanner:
                clients.mutt_with_ssmtp(scanner.port, MESSAGE, ["bob@example.net"], self.folder)
            live = proxy.finish()
        self.assertIn(b"\n.A line with a dot.\n", self.postfix.mail("bob@example.net")[0])

        (session,) = sessions(proxy.capture)
        self.assertEqual(
            session.verbs(),
            ["HELO", "MAIL", "RCPT", "RSET", "RSET", "MAIL", "RCPT", "DATA", "QUIT"],
        )
        self.assertEqual(session.outcomes(), ["aborted", "accepted"])
        self.assertEqual(session.transactions[0]["aborted_by"], "RSET")

        # What the rules name. The replay is the headline, and it explains the rest of them.
        self.assertIn("txn-replayed-after-rset", session.headlines("warning"))
        self.assertLessEqual(
            {"txn-aborted-rset", "rset-repeated", "round-pause"}, set(session.rules())
        )
        for rule in ("txn-aborted-rset", "rset-repeated", "round-pause"):
            self.assertEqual(session.folded_under(rule), ["txn-replayed-after-rset"], rule)

        # The second between the RSETs is sSMTP's own wait before the dot; the other the scan.
        first, second = session.silences
        self.assertEqual((first["silent"], second["silent"]), ("client", "client"))
        self.assertAlmostEqual(first["length_ns"] / 1e9, 1.0, delta=0.2)
        self.assertAlmostEqual(second["length_ns"] / 1e9, SCAN, delta=0.2)

        self.assertEqual(live, show(proxy.capture))
        self.assertIn("client silent", live)
        self.assertIn("txn-replayed-after-rset", live)

    def test_without_the_scanner(self):
        """The same pair straight to the server is accused of nothing that the scanner did."""
        with Proxy(f"127.0.0.1:{self.postfix.port}", self.folder) as proxy:
            clients.mutt_with_ssmtp(proxy.port, MESSAGE, ["bob@example.net"], self.folder)
            proxy.finish()
        (session,) = sessions(proxy.capture)
        self.assertEqual(session.outcomes(), ["accepted"])
        for rule in session.rules():
            self.assertNotRegex(rule, "rset|replay")
        # sSMTP sleeps a second before it sends the dot (its own sleep, not the network).
        (silence,) = session.silences
        self.assertEqual(silence["silent"], "client")


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
