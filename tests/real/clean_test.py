"""Well-behaved clients with ordinary servers: no finding may ask anybody to do anything.

A rule that speaks up here at `notice` or above accuses the innocent, and so would do in every
trace of every day. Each session has a capture of its own.
"""

import tempfile
import unittest
from pathlib import Path

import clients
import root
from exim import Exim
from opensmtpd import OpenSmtpd
from postfix import Postfix
from smtpscope import Proxy, sessions, show

EVERY_CLIENT = clients.FAITHFUL | {"mutt with ssmtp": clients.mutt_with_ssmtp}

BOB, CAROL = "bob@example.net", "carol@example.net"


def mail(number, body, head=""):
    """A message in octets; no two have the same number, or one would look like the other again."""
    return (
        f"From: alice@example.com\nTo: {BOB}\nSubject: figures {number}\n"
        f"Date: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <{number}@client.example>\n"
        f"{head}\n{body}"
    ).encode()


PLAIN = mail(1, "Hello.\n")
DOTS = mail(2, ".\n..\n.dot\n...\n\n.end\nlast\n")
UTF8 = mail(
    3,
    "é€ 📬 naïve\n",
    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n",
)
TWO = [mail(4, "The first.\n"), mail(5, "The second.\n.\n")]


def body(message):
    return message.split(b"\n\n", 1)[1]


class Clean:
    """The corpus, for each server in turn: `program` is its class."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(cls.program())
        cls.delivered = {BOB: 0, CAROL: 0}

    def assert_clean(self, send, messages, recipients):
        """`send` (port, folder) sends `messages` in one session: they arrive, nobody is accused."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with Proxy(f"127.0.0.1:{self.server.port}", folder) as proxy:
                send(proxy.port, folder)
                proxy.finish()
            timeline = "\n" + show(proxy.capture, "-v")
            (session,) = sessions(proxy.capture)
        # First of all, so that a finding in this session does not upset the count for the next.
        for who in recipients:
            self.delivered[who] += len(messages)
            arrived = self.server.mail(who, self.delivered[who])[-len(messages) :]
            # Servers deliver in any order.
            self.assertCountEqual(map(body, arrived), map(body, messages), timeline)
        loud = [r for s in ("notice", "warning", "error") for r in session.headlines(s)]
        self.assertEqual(loud, [], timeline)
        self.assertEqual(session.outcomes(), ["accepted"] * len(messages), timeline)
        self.assertEqual(session.forward_paths(), [recipients] * len(messages), timeline)
        self.assertEqual(session.verbs()[-1], "QUIT", timeline)

    def each_client(self, message, recipients):
        for name, client in EVERY_CLIENT.items():
            with self.subTest(client=name):

                def send(port, folder, client=client):
                    client(port, message, recipients, folder)

                self.assert_clean(send, [clients.as_sent_by(client, message)], recipients)

    def test_one_recipient(self):
        self.each_client(PLAIN, [BOB])

    def test_two_recipients(self):
        self.each_client(PLAIN, [BOB, CAROL])

    def test_dots(self):
        self.each_client(DOTS, [BOB])

    def test_two_messages_in_one_session(self):
        for name, client in clients.SEVERAL.items():
            with self.subTest(client=name):

                def send(port, folder, client=client):
                    client(port, TWO, [BOB], folder)

                self.assert_clean(send, TWO, [BOB])

    def test_declared_8bit(self):
        def send(port, folder):
            clients.python_smtplib_8bitmime(port, UTF8, [BOB], folder)

        self.assert_clean(send, [UTF8], [BOB])


class CleanPostfix(Clean, unittest.TestCase):
    program = Postfix


class CleanExim(Clean, unittest.TestCase):
    program = Exim


class CleanOpenSmtpd(Clean, unittest.TestCase):
    program = OpenSmtpd


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
