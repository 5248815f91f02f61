"""Between two servers: Postfix hands mail by LMTP through smtpscope to Dovecot's Unix socket."""

import smtplib
import tempfile
import unittest
from pathlib import Path

import clients
import root
from dovecot import Dovecot
from follow import DEADLINE
from postfix import Postfix
from smtpscope import Proxy, sessions

MESSAGE = (
    b"From: alice@example.com\r\nTo: bob@example.net\r\nSubject: figures\r\n\r\n"
    b"First line.\r\n.A line with a dot.\r\nLast line.\r\n"
)


class Lmtp(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.dovecot = self.enterContext(Dovecot())

    def test_postfix_to_dovecot(self):
        with Proxy(f"unix:{self.dovecot.socket}", self.folder) as proxy:
            with Postfix(f"virtual_transport = lmtp:inet:127.0.0.1:{proxy.port}\n") as postfix:
                with smtplib.SMTP("127.0.0.1", postfix.port, "client.example", DEADLINE) as client:
                    # Postfix knows all three, Dovecot only two of them.
                    everyone = ["bob@example.net", "carol@example.net", "dave@example.net"]
                    client.sendmail(clients.SENDER, everyone, MESSAGE)
                for recipient in everyone[:2]:
                    mail = self.dovecot.mail(recipient)[0]
                    self.assertTrue(mail.endswith(b"\n.A line with a dot.\nLast line.\n"), mail)
                postfix.lines.wait_for(r"to=<dave@example\.net>.* status=bounced")
            proxy.finish()
        (session,) = sessions(proxy.capture)
        self.assertEqual(session.verbs()[:2], ["LHLO", "MAIL"])
        (transaction,) = session.transactions
        self.assertEqual(transaction["outcome"], "partial")
        results = {r["forward_path"]: r.get("final_code") for r in transaction["recipients"]}
        self.assertEqual(
            results, {"bob@example.net": 250, "carol@example.net": 250, "dave@example.net": None}
        )
        # On a Unix socket a full close looks like a hang-up; it is no reset.
        self.assertEqual(sorted(session.closes()), [("client", "fin"), ("server", "fin")])
        # One reply for each accepted recipient, after one end-of-data.
        self.assertEqual(len(session.replies_to_message()), 2)


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
