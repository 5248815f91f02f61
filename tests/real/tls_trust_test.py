"""Real clients before a CA that they trust, and before one that they do not."""

import smtplib
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

import clients
import root
from follow import DEADLINE, Lines
from smtpscope import BINARY, Proxy, sessions
from tls_kit import TlsCase

MESSAGE = (
    b"From: alice@example.com\nTo: bob@example.net\nSubject: trust\n"
    b"Date: Wed, 25 Nov 2026 12:00:00 +0000\nMessage-Id: <two@example.com>\n\nOne line.\n"
)

# Each speaks STARTTLS and verifies against the CA certificates in `ca`; it raises when it fails.


def swaks(port, ca, folder):
    (folder / "message").write_bytes(MESSAGE)
    command = ["swaks", "--server", "localhost", "--port", port, "--ehlo", "client.example"]
    command += ["--from", clients.SENDER, "--to", "bob@example.net", "--data", "@message"]
    clients.run([*command, "--tls", "--tls-verify", "--tls-ca-path", ca], folder)


def msmtp(port, ca, folder):
    (folder / "msmtprc").write_text(
        f"defaults\nauth off\ntls on\ntls_starttls on\ntls_trust_file {ca}\nsyslog off\n"
        f"account default\nhost localhost\nport {port}\nfrom {clients.SENDER}\n"
        "domain client.example\n"
    )
    (folder / "msmtprc").chmod(0o600)
    clients.run(["msmtp", "-C", folder / "msmtprc", "--", "bob@example.net"], folder, MESSAGE)


def curl(port, ca, folder):
    (folder / "message").write_bytes(MESSAGE.replace(b"\n", b"\r\n"))
    command = ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", ca]
    command += [f"smtp://localhost:{port}/client.example", "--mail-from", clients.SENDER]
    clients.run([*command, "--mail-rcpt", "bob@example.net", "--upload-file", "message"], folder)


def openssl_s_client(port, ca, folder):
    command = ["openssl", "s_client", "-connect", f"localhost:{port}", "-starttls", "smtp"]
    command += ["-quiet", "-crlf", "-CAfile", str(ca), "-verify_return_error"]
    with subprocess.Popen(
        [*command, "-verify_hostname", "localhost"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        said = Lines(process.stdout, "openssl s_client")
        try:
            # It passes on what it is given at once, and Postfix 3.9 and later end a session in
            # which the client does not wait where it has to. This is the reply to its own EHLO.
            said.wait_for("^250 ")
            for words, awaited in (
                (b"EHLO client.example\n", "^250 "),
                (b"MAIL FROM:<alice@example.com>\nRCPT TO:<bob@example.net>\nDATA\n", "^354 "),
                (MESSAGE + b".\nQUIT\n", "^221 "),
            ):
                start = len(said.lines)
                process.stdin.write(words)
                process.stdin.flush()
                said.wait_for(awaited, start=start)
            said.rest()
        finally:
            process.kill()
            said.close()


def python_smtplib(port, ca, _folder):
    with smtplib.SMTP("localhost", port, "client.example", DEADLINE) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(ca)))
        client.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE.replace(b"\n", b"\r\n"))


EVERY_CLIENT = {
    "swaks": swaks,
    "msmtp": msmtp,
    "curl": curl,
    "openssl s_client": openssl_s_client,
    "smtplib": python_smtplib,
}


# They look at the certificate once the handshake is over, and go without a word: msmtp with GnuTLS,
# swaks since its version of 2023.
LOOK_AFTERWARDS = ("msmtp", "swaks")


class Trust(TlsCase):
    NAMES = "DNS:mx.smtpscope.test,DNS:localhost"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ca, cls.trusted = cls.common / "ca", cls.common / "smtpscope-ca.pem"
        subprocess.run(
            [BINARY, "ca", "--dir", cls.ca, "-o", cls.trusted], check=True, capture_output=True
        )

    def session(self, client, trusted):
        """The session of that client, and what it raised."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with Proxy(
                f"localhost:{self.postfix.port}",
                folder,
                *("--tls", "intercept", "--ca", str(self.ca)),
                *("--upstream-ca", str(self.certificates.ca)),
            ) as proxy:
                raised = None
                try:
                    client(proxy.port, trusted, folder)
                except Exception as error:  # each client has its own
                    raised = error
                proxy.finish()
            (session,) = sessions(proxy.capture)
        return session, raised

    def test_a_ca_that_is_trusted(self):
        for name, client in EVERY_CLIENT.items():
            with self.subTest(client=name):
                session, raised = self.session(client, self.trusted)
                if raised:
                    raise raised
                self.assertEqual(session.outcomes(), ["accepted"])
                tls = [(h["with"], h["completed"]) for h in session.fields["tls"]]
                self.assertEqual(tls, [("server", True), ("client", True)])

    def test_a_ca_that_is_not_trusted(self):
        for name, client in EVERY_CLIENT.items():
            with self.subTest(client=name):
                # The mail server's own CA is as good as any that has not signed what is shown.
                session, raised = self.session(client, self.certificates.ca)
                self.assertIsNotNone(raised)
                self.assertEqual(session.outcomes(), [])
                self.assertIn("tls-handshake-failed", session.rules())
                (told,) = [h for h in session.fields["tls"] if h["with"] == "client"]
                verdict = " ".join(line["text"] for line in session.fields["end"]["verdict"])
                if told["completed"] and name in LOOK_AFTERWARDS:
                    self.assertIn("without a word in TLS", verdict)
                    self.assertNotIn("it accepted", verdict)
                    continue
                self.assertEqual((told["completed"], told["failed_by"]), (False, "client"))
                self.assertIn(told["alert"], (42, 48))  # bad_certificate, unknown_ca
                self.assertIn("client side: it gave up over TLS", verdict)


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
