"""Mail through smtpscope arrives as it does without it, from every client, and is accounted for."""

import re
import smtplib
import tempfile
import unittest
from pathlib import Path

import clients
import root
from follow import DEADLINE
from postfix import Postfix, without_stamps
from smtpscope import Proxy, sessions, show

HEAD = (
    b"From: alice@example.com\nTo: bob@example.net\nSubject: figures\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <1@client.example>\n"
)

MESSAGES = {
    "plain": HEAD + b"\nHello.\n",
    "dots": HEAD + b"\n.\n..\n.dot\n...\n\n.end\n",
    "lone dot at the end": HEAD + b"\nHello.\n.\n",
    "8-bit": HEAD + b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    b"Content-Transfer-Encoding: 8bit\n\n\xc3\xa9\xe2\x82\xac \xf0\x9f\x93\xac\n",
    "SMTP inside": HEAD + b"\nRSET\nQUIT\n354 go\n250 2.0.0 Ok\nDATA\n",
    "large": HEAD + b"\n" + b"The quick brown fox jumps over the lazy dog.\n" * 25_000,
}


class Delivery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postfix = cls.enterClassContext(Postfix())
        cls.delivered = {}

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def deliver(self, send, port, message, *recipients):
        """Sends and gives what newly arrived for each recipient."""
        before = {who: self.delivered.get(who, 0) for who in recipients}
        send(port, message, list(recipients), self.folder)
        arrived = []
        for who in recipients:
            self.delivered[who] = before[who] + 1
            arrived.append(without_stamps(self.postfix.mail(who, self.delivered[who])[-1]))
        return arrived

    def test_every_client_every_message(self):
        for name, send in clients.FAITHFUL.items():
            for kind, message in MESSAGES.items():
                with self.subTest(client=name, message=kind):
                    direct = self.deliver(send, self.postfix.port, message, "bob@example.net")
                    capture = f"{name}-{kind}.smtpcap".replace(" ", "-")
                    upstream = f"127.0.0.1:{self.postfix.port}"
                    with Proxy(upstream, self.folder, capture=capture) as proxy:
                        proxied = self.deliver(send, proxy.port, message, "bob@example.net")
                        live = proxy.finish()
                    self.assertEqual(proxied, direct)
                    self.assertEqual(proxied[0], clients.as_sent_by(send, message))
                    self.assert_clean_session(proxy.capture, live, kind == "8-bit")

    def assert_clean_session(self, capture, live, eight_bit):
        (session,) = sessions(capture)
        # None of the clients declares BODY=8BITMIME by itself, and that is reported; newer msmtp says
        # SMTPUTF8, which stands for it (RFC 6531 3.6).
        declared = "SMTPUTF8" in session.line_of("MAIL").split()
        told = ["eightbit-without-8bitmime"] if eight_bit and not declared else []
        self.assertEqual(session.verbs()[0], "EHLO")
        self.assertEqual(session.verbs()[-1], "QUIT")
        self.assertEqual(session.outcomes(), ["accepted"])
        (transaction,) = session.transactions
        self.assertEqual(transaction["reverse_path"], clients.SENDER)
        self.assertEqual(session.forward_paths(), [["bob@example.net"]])
        self.assertEqual(session.above_info(), told)
        self.assertEqual(live, show(capture))

    def test_several_recipients(self):
        both = ("bob@example.net", "carol@example.net")
        with Proxy(f"127.0.0.1:{self.postfix.port}", self.folder) as proxy:
            for send in clients.FAITHFUL.values():
                first, second = self.deliver(send, proxy.port, MESSAGES["plain"], *both)
                self.assertEqual(first, second)
            proxy.finish()
        found = sessions(proxy.capture)
        self.assertEqual(len(found), len(clients.FAITHFUL))
        for session in found:
            self.assertEqual(session.forward_paths(), [list(both)])
            self.assertEqual(session.outcomes(), ["accepted"])

    def test_octets_that_no_client_should_send(self):
        """Bare CR, bare LF, NUL, lone 8-bit, a line far beyond 1000 octets: Postfix takes them."""
        hostile = HEAD.replace(b"\n", b"\r\n") + (
            b"\r\nbare lf\nbare cr\rnul \0 eight \xff\x80\r\n" + b"x" * 5000 + b"\r\n.lead\r\nend\r\n"
        )

        def send(port, message, recipients, _folder):
            with smtplib.SMTP("127.0.0.1", port, "client.example", DEADLINE) as client:
                client.sendmail(clients.SENDER, recipients, message)

        direct = self.deliver(send, self.postfix.port, hostile, "bob@example.net")
        with Proxy(f"127.0.0.1:{self.postfix.port}", self.folder) as proxy:
            proxied = self.deliver(send, proxy.port, hostile, "bob@example.net")
            live = proxy.finish()
        self.assertEqual(proxied, direct)
        (session,) = sessions(proxy.capture)
        self.assertEqual(session.outcomes(), ["accepted"])
        # Nothing of it reaches the terminal raw.
        self.assertNotRegex(live, r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_mutt_with_ssmtp(self):
        """The pair stamps times and ids of its own; all else has to be equal."""
        ours = re.compile(rb"^(?:Date|Message-ID|Received): [^\n]*\n(?:[ \t][^\n]*\n)*", re.M | re.I)
        send = clients.mutt_with_ssmtp
        direct = self.deliver(send, self.postfix.port, MESSAGES["plain"], "bob@example.net")
        with Proxy(f"127.0.0.1:{self.postfix.port}", self.folder) as proxy:
            proxied = self.deliver(send, proxy.port, MESSAGES["plain"], "bob@example.net")
            proxy.finish()
        self.assertIn(b"Subject: figures\n", proxied[0])
        self.assertEqual(ours.sub(b"", proxied[0]), ours.sub(b"", direct[0]))
        (session,) = sessions(proxy.capture)
        self.assertEqual(session.verbs(), ["HELO", "MAIL", "RCPT", "DATA", "QUIT"])
        self.assertEqual(session.outcomes(), ["accepted"])

    def test_refused_recipient(self):
        with Proxy(f"127.0.0.1:{self.postfix.port}", self.folder) as proxy:
            with smtplib.SMTP("127.0.0.1", proxy.port, "client.example", DEADLINE) as client:
                refused = client.sendmail(
                    clients.SENDER,
                    ["nobody@example.net", "dave@example.net"],
                    MESSAGES["plain"].replace(b"\n", b"\r\n"),
                )
            proxy.finish()
        self.assertEqual(list(refused), ["nobody@example.net"])
        self.postfix.mail("dave@example.net")
        (session,) = sessions(proxy.capture)
        self.assertEqual(session.outcomes(), ["partial"])
        self.assertIn("partial-rcpt-accept", session.rules())

    def test_postfix_is_away(self):
        """The client is told by smtpscope, which says that it speaks for itself."""
        with Postfix() as gone:
            port = gone.port
        with Proxy(f"127.0.0.1:{port}", self.folder) as proxy:
            with self.assertRaises(smtplib.SMTPConnectError) as refusal:
                smtplib.SMTP("127.0.0.1", proxy.port, "client.example", DEADLINE)
            proxy.finish()
        self.assertEqual(refusal.exception.smtp_code, 421)
        self.assertIn(b"smtpscope", refusal.exception.smtp_error)
        (session,) = sessions(proxy.capture)
        self.assertIn("upstream-connect-failed", session.rules())


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
