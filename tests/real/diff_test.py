"""Runs of real clients in front of the real server, compared: what a client does again is the same,
and a changed option shows as what it is on the wire."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

import clients
import root
from postfix import Postfix
from smtpscope import BINARY, Proxy

MESSAGE = (
    b"From: alice@example.com\nTo: bob@example.net\nSubject: figures\n\n"
    b"First line.\n.A line with a dot.\nLast line.\n"
)
RECIPIENT = "bob@example.net"


def msmtp_asking_for_dsn(port, message, recipients, folder):
    (folder / "msmtprc").write_text(
        f"defaults\nauth off\ntls off\nsyslog off\naccount default\nhost 127.0.0.1\nport {port}\n"
        f"from {clients.SENDER}\ndomain other.example\ndsn_notify failure\ndsn_return headers\n"
    )
    (folder / "msmtprc").chmod(0o600)
    clients.run(["msmtp", "-C", folder / "msmtprc", "--", *recipients], folder, message)


def swaks(*options):
    def client(port, _message, recipients, folder):
        command = ["swaks", "--server", "127.0.0.1", "--port", port, "--ehlo", "client.example"]
        command += ["--from", clients.SENDER, "--to", ",".join(recipients), *options]
        clients.run(command, folder)

    return client


class Diff(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.postfix = self.enterContext(Postfix())
        self.runs = 0

    def record(self, client):
        self.runs += 1
        upstream = f"127.0.0.1:{self.postfix.port}"
        with Proxy(upstream, self.folder, capture=f"{self.runs}.smtpcap") as proxy:
            client(proxy.port, MESSAGE, [RECIPIENT], self.folder)
            proxy.finish()
        return proxy.capture

    def diff(self, *arguments):
        """The exit code and the comparison, without timing: this machine may be slow at any time."""
        done = subprocess.run(
            [BINARY, "diff", "-f", "json", "--no-timing", *map(str, arguments)],
            stdout=subprocess.PIPE, check=False)
        (comparison,) = json.loads(done.stdout)["comparisons"]
        return done.returncode, comparison

    def differences(self, comparison):
        """Those that the client's own waits do not bring about."""
        return [
            each
            for session in comparison["sessions"]
            for each in session["differences"]
            if each["group"] != "annotations"
        ]

    def test_a_client_that_does_the_same_again(self):
        for client in (clients.msmtp, swaks(), swaks("--attach", "@/etc/hostname")):
            before, after = self.record(client), self.record(client)
            _, comparison = self.diff(before, after)
            self.assertEqual(self.differences(comparison), [])
            # Each message has a Message-ID and gets a queue id.
            self.assertGreaterEqual(set(comparison["set_aside"]), {"message-id", "queue-id"})

    def test_msmtp_with_another_option(self):
        before, after = self.record(clients.msmtp), self.record(msmtp_asking_for_dsn)
        code, comparison = self.diff(before, after)
        self.assertEqual(code, 1)
        found = [
            (each["kind"], each["after"].split()[0], each["before"].split(), each["after"].split())
            for each in self.differences(comparison)
        ]
        # The words that are new; newer versions always say SMTPUTF8 as well.
        self.assertEqual(
            [(kind, verb, set(after) - set(before)) for kind, verb, before, after in found],
            [
                ("command-changed", "EHLO", {"other.example"}),
                ("command-changed", "MAIL", {"RET=HDRS"}),
                ("command-changed", "RCPT", {"NOTIFY=FAILURE"}),
            ],
        )
        self.assertEqual(
            [set(before) - set(after) for _, _, before, after in found], [{"client.example"}, set(), set()]
        )

    def test_swaks_with_other_options(self):
        before = self.record(swaks())
        after = self.record(
            swaks("--header", "X-New: yes", "--body", "another body", "--attach", "@/etc/hostname"))
        _, comparison = self.diff(before, after)
        found = {(each["kind"], each["subject"].split(",")[0])
                 for each in self.differences(comparison)}
        self.assertEqual(
            found,
            {
                ("header-added", "MIME-Version"),
                ("header-added", "Content-Type"),
                ("header-added", "X-New"),
                ("body", "body"),
            },
        )

    def test_two_clients(self):
        before, after = self.record(clients.curl), self.record(clients.mutt_with_ssmtp)
        _, comparison = self.diff(before, after)
        kinds = [each["kind"] for each in self.differences(comparison)]
        self.assertIn("command-removed", kinds)  # EHLO
        self.assertIn("command-added", kinds)  # HELO
        self.assertIn("header-added", kinds)


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
