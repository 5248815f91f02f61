"""TLS ended in the middle: real clients and a real Postfix, with good and with bad trust."""

import concurrent.futures
import hashlib
import smtplib
import ssl
import stat
import subprocess
import unittest

import clients
import root
from follow import DEADLINE
from postfix import without_stamps
from smtpscope import BINARY, Proxy, sessions, show
from tls_kit import TlsCase, TlsPostfix

MESSAGE = (
    b"From: alice@example.com\nTo: bob@example.net\nSubject: figures\n"
    b"Date: Wed, 25 Nov 2026 12:00:00 +0000\nMessage-Id: <one@example.com>\n\n"
    b"First line.\n.A line with a dot.\nLast line.\n"
)


def handshakes(session):
    """With whom TLS was spoken, and whether it was agreed on."""
    return [(h["with"], h["completed"]) for h in session.fields.get("tls", [])]


def handshake(session, side):
    (found,) = [h for h in session.fields["tls"] if h["with"] == side]
    return found


class Tls(TlsCase):
    NAMES = "DNS:mx.smtpscope.test,DNS:localhost,IP:127.0.0.1"

    def setUp(self):
        super().setUp()
        self.delivered = len(self.box())

    def box(self):
        folder = self.postfix.base / "mail" / "bob" / "new"
        return sorted(folder.iterdir()) if folder.exists() else []

    def new_mail(self, count=1):
        """What was delivered in this test."""
        self.postfix.lines.wait_for(
            r"to=<bob@example.net>.* status=sent", self.delivered + count
        )
        files = sorted(self.box(), key=lambda file: file.stat().st_mtime_ns)
        return [without_stamps(file.read_bytes()) for file in files[self.delivered :]]

    def ca(self, *options):
        """A CA made by smtpscope; gives its folder and its certificate's file."""
        folder, pem = self.folder / "ca", self.folder / "smtpscope-ca.pem"
        subprocess.run(
            [BINARY, "ca", "--dir", folder, "-o", pem, *options], check=True, capture_output=True
        )
        return folder, pem

    def intercept(self, *options, upstream=None, trust=True, capture="run.smtpcap"):
        upstream = upstream or f"localhost:{self.postfix.port}"
        trusted = ["--upstream-ca", str(self.certificates.ca)] if trust else []
        return Proxy(
            upstream, self.folder, "--tls", "intercept", *trusted, *options, capture=capture
        )

    def swaks(self, port, *options):
        (self.folder / "message").write_bytes(MESSAGE)
        command = ["swaks", "--server", "localhost", "--port", port, "--ehlo", "client.example"]
        command += ["--from", clients.SENDER, "--to", "bob@example.net", "--data", "@message"]
        clients.run([*command, *options], self.folder)

    def test_starttls_of_swaks_is_seen_through(self):
        with self.intercept() as proxy:
            self.swaks(proxy.port, "--tls")
            live = proxy.finish()
        self.assertEqual(self.new_mail(), [MESSAGE + b"\n"])
        (session,) = sessions(proxy.capture)
        self.assertEqual(handshakes(session), [("server", True), ("client", True)])
        self.assertEqual(
            session.verbs(), ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
        )
        self.assertEqual(session.outcomes(), ["accepted"])
        self.assertEqual(handshake(session, "server")["verification"], "ok")
        self.assertEqual(handshake(session, "client")["certificates_of"], "made_for_run")
        self.assertEqual(live, show(proxy.capture))
        self.assertEqual(session.above_info(), [])
        tls = [e.get("tls", False) for e in session.fields["entries"]]
        self.assertEqual(tls, sorted(tls))
        # Nobody can know a CA made for this run: a client that takes it does not verify.
        self.assertIn("does not verify", live)

    def test_a_client_that_verifies(self):
        folder, pem = self.ca()
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE((folder / "ca.key").stat().st_mode), 0o600)
        with self.intercept("--ca", folder) as proxy:
            context = ssl.create_default_context(cafile=str(pem))
            with smtplib.SMTP("localhost", proxy.port, "client.example", DEADLINE) as client:
                client.starttls(context=context)
                shown = client.sock.getpeercert()
                client.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)
            live = proxy.finish()
        self.assertIn(("DNS", "mx.smtpscope.test"), shown["subjectAltName"])
        self.new_mail()
        (session,) = sessions(proxy.capture)
        self.assertEqual(handshake(session, "client")["certificates_of"], "made")
        self.assertNotIn("does not verify", live)

    def test_a_client_that_does_not_know_the_ca(self):
        with self.intercept() as proxy:
            with smtplib.SMTP("localhost", proxy.port, "client.example", DEADLINE) as client:
                with self.assertRaises(ssl.SSLError):
                    client.starttls(context=ssl.create_default_context())
            proxy.finish()
        (session,) = sessions(proxy.capture)
        self.assertEqual(handshakes(session), [("server", True), ("client", False)])
        failed = handshake(session, "client")
        self.assertEqual((failed["alert"], failed["failed_by"]), (48, "client"))
        self.assertIn("does not know who signed", failed["failure"])
        self.assertIn("tls-handshake-failed", session.rules())

    def test_a_server_that_is_not_trusted(self):
        for options, words in (
            ((), "unable to get local issuer certificate"),
            (("--upstream-ca", str(self.certificates.ca)), "hostname mismatch"),
        ):
            with self.subTest(words):
                upstream = None if not options else f"localhost:{self.postfix.port}"
                certificate, key = self.certificates.sign("other", "DNS:other.example")
                with TlsPostfix(certificate, key) as other:
                    port = other.port if options else self.postfix.port
                    name = f"run-{len(options)}.smtpcap"
                    with Proxy(
                        f"localhost:{port}", self.folder, "--tls", "intercept", *options, capture=name
                    ) as proxy:
                        with smtplib.SMTP("localhost", proxy.port, "c.example", DEADLINE) as client:
                            with self.assertRaises((ssl.SSLError, smtplib.SMTPServerDisconnected)):
                                client.starttls(context=ssl._create_unverified_context())
                        proxy.finish()
                (session,) = sessions(proxy.capture)
                self.assertEqual(handshakes(session), [("server", False), ("client", False)])
                self.assertIn(words, handshake(session, "server")["failure"].lower())

    def test_insecure_upstream_says_so(self):
        with self.intercept("--insecure-upstream", trust=False) as proxy:
            self.swaks(proxy.port, "--tls")
            proxy.finish()
        (session,) = sessions(proxy.capture)
        self.new_mail()
        self.assertIn("issuer", handshake(session, "server")["verification"])
        self.assertEqual(session.outcomes(), ["accepted"])

    def test_versions_and_resumption(self):
        for version, name in (
            (ssl.TLSVersion.TLSv1_2, "TLS 1.2"),
            (ssl.TLSVersion.TLSv1_3, "TLS 1.3"),
        ):
            with self.subTest(name), self.intercept(capture=f"{name}.smtpcap") as proxy:
                context = ssl._create_unverified_context()
                context.minimum_version = context.maximum_version = version
                before = None
                for _ in range(2):
                    with smtplib.SMTP("localhost", proxy.port, "c.example", DEADLINE) as client:
                        client.ehlo()
                        client.docmd("STARTTLS")
                        client.sock = context.wrap_socket(
                            client.sock, server_hostname="localhost", session=before
                        )
                        client.file = None
                        client.ehlo_resp = client.helo_resp = None
                        client.ehlo()
                        before = client.sock.session
                proxy.finish()
                first, second = sessions(proxy.capture)
                self.assertEqual(handshake(first, "client")["version"], name)
                self.assertEqual(handshake(first, "server")["version"], name)
                self.assertFalse(handshake(first, "client").get("resumed", False))
                self.assertTrue(handshake(second, "client")["resumed"])

    def test_tls_from_the_first_octet(self):
        with self.intercept(
            "--listen-tls", "127.0.0.1:0", upstream=f"localhost:{self.postfix.wrapper_port}"
        ) as proxy:
            port = int(proxy.errors.wait_for(r"listening on \S*:(\d+)\b.*TLS")[1])
            (self.folder / "message").write_bytes(MESSAGE.replace(b"\n", b"\r\n"))
            clients.run(
                [
                    *("curl", "--silent", "--show-error", "--insecure"),
                    *(f"smtps://localhost:{port}/client.example", "--mail-from", clients.SENDER),
                    *("--mail-rcpt", "bob@example.net", "--upload-file", "message"),
                ],
                self.folder,
            )
            live = proxy.finish()
        self.assertEqual(self.new_mail(), [MESSAGE])
        (session,) = sessions(proxy.capture)
        self.assertEqual(handshakes(session), [("server", True), ("client", True)])
        self.assertEqual(session.outcomes(), ["accepted"])
        self.assertEqual(live, show(proxy.capture))

    def test_each_side_in_its_own_way(self):
        wrapper = f"localhost:{self.postfix.wrapper_port}"
        clear = f"localhost:{self.postfix.port}"
        for way, upstream, expected in (
            ("none", clear, [("client", True)]),
            ("starttls", clear, [("server", True), ("client", True)]),
            ("implicit", wrapper, [("server", True), ("client", True)]),
        ):
            with self.subTest(way):
                self.delivered = len(self.box())
                with Proxy(
                    upstream,
                    self.folder,
                    *("--tls", "intercept", "--upstream-ca", str(self.certificates.ca)),
                    *("--listen-tls", "127.0.0.1:0", "--upstream-tls", way),
                    capture=f"{way}.smtpcap",
                ) as proxy:
                    port = int(proxy.errors.wait_for(r"listening on \S*:(\d+)\b.*TLS")[1])
                    self.swaks(port, "--tls-on-connect")
                    live = proxy.finish()
                self.assertEqual(self.new_mail(), [MESSAGE + b"\n"])
                (session,) = sessions(proxy.capture)
                self.assertEqual(sorted(handshakes(session)), sorted(expected))
                self.assertEqual(session.outcomes(), ["accepted"])
                self.assertEqual(live, show(proxy.capture))

    def test_strip(self):
        for way in ("none", "starttls", "implicit"):
            with self.subTest(way):
                self.delivered = len(self.box())
                port = self.postfix.wrapper_port if way == "implicit" else self.postfix.port
                trusted = () if way == "none" else ("--upstream-ca", str(self.certificates.ca))
                with Proxy(
                    f"localhost:{port}",
                    self.folder,
                    *("--tls", "strip", "--upstream-tls", way, *trusted),
                    capture=f"{way}.smtpcap",
                ) as proxy:
                    with smtplib.SMTP("localhost", proxy.port, "c.example", DEADLINE) as client:
                        client.ehlo()
                        self.assertNotIn("starttls", client.esmtp_features)
                        self.assertIn("pipelining", client.esmtp_features)
                        self.assertEqual(client.docmd("STARTTLS")[0], 502)
                        client.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)
                    live = proxy.finish()
                self.new_mail()
                (session,) = sessions(proxy.capture)
                wanted = [] if way == "none" else [("server", True)]
                self.assertEqual(handshakes(session), wanted)
                self.assertEqual(session.outcomes(), ["accepted"])
                self.assertEqual(live, show(proxy.capture))
                self.assertNotIn("starttls-not-used", session.rules())

    def test_a_certificate_of_the_users_own_and_the_key_log(self):
        log = self.folder / "keys.log"
        with self.intercept("--cert", self.certificate, "--key", self.key, "--keylog", log) as proxy:
            context = ssl.create_default_context(cafile=str(self.certificates.ca))
            with smtplib.SMTP("localhost", proxy.port, "client.example", DEADLINE) as client:
                client.starttls(context=context)
                client.noop()
            proxy.finish()
        self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)
        secrets = log.read_text().splitlines()
        self.assertGreaterEqual(len(secrets), 8)
        self.assertTrue(all(len(line.split()) == 3 for line in secrets), secrets)
        (session,) = sessions(proxy.capture)
        self.assertEqual(handshake(session, "client")["certificates_of"], "user")
        key = self.key.read_text().splitlines()[1]
        self.assertNotIn(key, proxy.capture.read_text())

    def test_client_certificates(self):
        shown, key = self.certificates.sign("client", "DNS:client.example", usage="clientAuth")
        with TlsPostfix(
            self.certificate,
            self.key,
            f"smtpd_tls_ask_ccert = yes\nsmtpd_tls_CAfile = {self.certificates.ca}\n"
            "smtpd_tls_received_header = yes\n",
        ) as asking:
            for options in ((), ("--upstream-cert", shown, "--upstream-key", key)):
                with Proxy(
                    f"localhost:{asking.port}",
                    self.folder,
                    *("--tls", "intercept", "--upstream-ca", self.certificates.ca, *options),
                    capture=f"run-{len(options)}.smtpcap",
                ) as proxy:
                    context = ssl._create_unverified_context()
                    context.load_cert_chain(shown, key)
                    with smtplib.SMTP("localhost", proxy.port, "c.example", DEADLINE) as client:
                        client.starttls(context=context)
                        client.noop()
                    proxy.finish()
                (session,) = sessions(proxy.capture)
                here, there = handshake(session, "client"), handshake(session, "server")
                self.assertTrue(there["client_certificate_asked"])
                self.assertEqual(here["client_certificate"]["subject"], "CN=client")
                self.assertEqual("client_certificate" in there, bool(options))
                told = any("cannot be passed on" in d for d in here.get("differences", []))
                self.assertEqual(told, not options)

    def test_large_mail_is_byte_identical(self):
        lines = [hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(60000)]
        message = MESSAGE + "\n".join(lines).encode() + b"\n"
        with self.intercept() as proxy:
            with smtplib.SMTP("localhost", proxy.port, "client.example", DEADLINE) as client:
                client.starttls(context=ssl._create_unverified_context())
                client.sendmail(
                    clients.SENDER, ["bob@example.net"], message.replace(b"\n", b"\r\n")
                )
            proxy.finish()
        (delivered,) = self.new_mail()
        self.assertTrue(delivered == message)

    def test_many_at_once(self):
        def send(_):
            with smtplib.SMTP("localhost", proxy.port, "client.example", 60) as client:
                client.starttls(context=ssl._create_unverified_context())
                client.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)

        with self.intercept("--format", "none") as proxy:
            with concurrent.futures.ThreadPoolExecutor(50) as pool:
                list(pool.map(send, range(200)))
            proxy.finish()
        self.new_mail(200)
        all_sessions = sessions(proxy.capture)
        self.assertEqual(len(all_sessions), 200)
        for session in all_sessions:
            self.assertEqual(session.outcomes(), ["accepted"])
            self.assertEqual(handshakes(session), [("server", True), ("client", True)])


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
