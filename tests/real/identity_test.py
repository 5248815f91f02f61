"""Behind smtpscope the server still sees the client: PROXY headers out and in, and XCLIENT."""

import json
import smtplib
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

import clients
import root
from follow import DEADLINE, free_port
from postfix import Postfix
from smtpscope import Proxy, sessions, show
from tls_kit import Certificates

MESSAGE = b"From: alice@example.com\r\nTo: bob@example.net\r\nSubject: figures\r\n\r\nText.\r\n"
# Any address of the loopback may be a client's.
CLIENT = "127.0.0.9"
XCLIENT = "smtpd_authorized_xclient_hosts = 127.0.0.1\n"
HAPROXY = "smtpd_upstream_proxy_protocol = haproxy\n"
SERVICES = """\
127.0.0.1:{starttls} inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy
127.0.0.1:{implicit} inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_tls_wrappermode=yes
127.0.0.1:{postscreen} inet n - n - 1 postscreen
smtpd    pass - - n - - smtpd
dnsblog  unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
tlsmgr   unix - - n 1000? 1 tlsmgr
"""


class Identity(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def send(self, port, source=CLIENT):
        with smtplib.SMTP(
            "127.0.0.1", port, "client.example", DEADLINE, source_address=(source, 0)
        ) as client:
            client.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)

    def is_seen(self, settings, *options):
        capture = f"{options[-1]}.smtpcap"
        with Postfix(settings) as postfix:
            server = f"127.0.0.1:{postfix.port}"
            with Proxy(server, self.folder, *options, capture=capture) as proxy:
                self.send(proxy.port)
                self.assertIn(b"Text.", postfix.mail("bob@example.net")[0])
                postfix.lines.wait_for(rf": client=unknown\[{CLIENT}\]")
                proxy.finish()
        # What is said between smtpscope and the server is no part of the message.
        mails = self.folder / f"{options[-1]}.mails"
        show(proxy.capture, "-f", "eml", "-o", mails)
        self.assertEqual([mail.read_bytes() for mail in mails.glob("*.eml")], [MESSAGE])
        (session,) = sessions(proxy.capture)
        self.assertEqual(session.outcomes(), ["accepted"])
        self.assertEqual(session.verbs(), ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"])
        self.assertEqual(session.above_info(), [])
        return session

    def test_proxy_header(self):
        for version in ("v1", "v2"):
            with self.subTest(version):
                session = self.is_seen(HAPROXY, "--send-proxy", version)
                (said,) = session.fields["asides"]
                self.assertEqual(said["side"], "client")
                self.assertIn("PROXY TCP4 127.0.0.9 " if version == "v1" else "QUIT", said["text"])

    def test_xclient(self):
        session = self.is_seen(XCLIENT, "--xclient")
        said = [aside["text"] for aside in session.fields["asides"]]
        self.assertTrue(any(f"ADDR={CLIENT}" in text for text in said), said)

    def test_xclient_that_is_not_allowed(self):
        with Postfix() as postfix:
            with Proxy(f"127.0.0.1:{postfix.port}", self.folder, "--xclient") as proxy:
                with self.assertRaises(smtplib.SMTPConnectError) as refused:
                    self.send(proxy.port)
                self.assertEqual(refused.exception.smtp_code, 421)
                proxy.finish()
        self.assertIn("does not offer XCLIENT", show(proxy.capture))

    def test_a_header_that_comes_in_goes_on(self):
        """A balancer in front, Postfix behind, and smtpscope between them."""
        with Postfix(HAPROXY) as postfix:
            options = ("--accept-proxy", "--proxy-from", "127.0.0.2", "--send-proxy", "v2")
            with Proxy(f"127.0.0.1:{postfix.port}", self.folder, *options) as proxy:
                balancer = socket.create_connection(
                    ("127.0.0.1", proxy.port), DEADLINE, source_address=("127.0.0.2", 0)
                )
                with balancer, balancer.makefile("rb") as replies:
                    balancer.sendall(b"PROXY TCP4 192.0.2.77 203.0.113.25 4")
                    balancer.sendall(b"0000 25\r\n")
                    self.assertTrue(replies.readline().startswith(b"220 "))
                    balancer.sendall(b"EHLO client.example\r\n")
                    while replies.readline()[3:4] != b" ":
                        pass
                    balancer.sendall(b"QUIT\r\n")
                    self.assertTrue(replies.readline().startswith(b"221 "))
                postfix.lines.wait_for(r"disconnect from unknown\[192\.0\.2\.77\]")
                # Others speak for themselves.
                self.send(proxy.port)
                postfix.lines.wait_for(rf": client=unknown\[{CLIENT}\]")
                proxy.finish()
        first, second = sessions(proxy.capture)
        self.assertEqual(first.fields["client"], "192.0.2.77:40000")
        self.assertRegex(first.fields["announced_by"], r"^127\.0\.0\.2:\d+ \(PROXY v1\)$")
        self.assertTrue(second.fields["client"].startswith(CLIENT))
        self.assertNotIn("announced_by", second.fields)

    def test_a_command_behind_the_header(self):
        options = ("--accept-proxy", "--proxy-from", "127.0.0.0/8")
        with Proxy("sink", self.folder, *options) as proxy:
            balancer = socket.create_connection(("127.0.0.1", proxy.port), DEADLINE)
            with balancer, balancer.makefile("rb") as replies:
                balancer.sendall(b"PROXY TCP4 192.0.2.77 203.0.113.25 40000 25\r\nNOOP\r\nQUIT\r\n")
                self.assertEqual([line[:3] for line in replies], [b"220", b"250", b"221"])
            proxy.finish()
        (session,) = sessions(proxy.capture)
        self.assertEqual(session.verbs(), ["NOOP", "QUIT"])

    def test_a_peer_without_its_header(self):
        with Proxy(
            "sink", self.folder, "--accept-proxy", "--proxy-from", "127.0.0.0/8"
        ) as proxy:
            with self.assertRaises((smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected)):
                with smtplib.SMTP() as client:
                    # It speaks first, as it should not, and so need not wait for the end of patience.
                    client.timeout = DEADLINE
                    client.sock = socket.create_connection(("127.0.0.1", proxy.port), DEADLINE)
                    client.sock.sendall(b"EHLO client.example\r\n")
                    client.file = None
                    code, words = client.getreply()
                    self.assertEqual(code, 421)
                    self.assertIn(b"PROXY header", words)
                    client.getreply()
            proxy.errors.wait_for(r"refused 127\.0\.0\.1:\d+: it does not begin with a PROXY header")
            self.assertIn("turned away: 1", self.total(proxy))

    def total(self, proxy):
        proxy.finish()
        return "\n".join(proxy.errors.lines)

    def test_haproxy_in_front(self):
        # HAProxy is given a socket that listens already, so that nothing has to wait for it.
        listening = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        with Postfix(HAPROXY) as postfix:
            options = ("--accept-proxy", "--proxy-from", "127.0.0.1", "--send-proxy", "v1")
            with Proxy(f"127.0.0.1:{postfix.port}", self.folder, *options) as proxy:
                configuration = self.folder / "haproxy.cfg"
                configuration.write_text(
                    "defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n"
                    " timeout server 60s\n"
                    f"listen mail\n bind fd@{listening.fileno()}\n"
                    f" server scope 127.0.0.1:{proxy.port} send-proxy-v2 proxy-v2-options crc32c\n"
                )
                balancer = subprocess.Popen(
                    ["haproxy", "-q", "-db", "-f", configuration],
                    pass_fds=[listening.fileno()],
                    stdin=subprocess.DEVNULL,
                )
                try:
                    self.send(listening.getsockname()[1])
                    postfix.lines.wait_for(rf": client=unknown\[{CLIENT}\]")
                finally:
                    balancer.terminate()
                    balancer.wait(DEADLINE)
                proxy.finish()
        fields = json.loads(show(proxy.capture, "-f", "json"))["sessions"][0]
        self.assertTrue(fields["client"].startswith(CLIENT))
        self.assertIn("(PROXY v2)", fields["announced_by"])


class MoreThanOneHop(unittest.TestCase):
    """One Postfix that is told who the client is in front of TLS, inside of it, and by postscreen."""

    @classmethod
    def setUpClass(cls):
        common = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        common.chmod(0o755)
        cls.certificates = Certificates(common)
        certificate, key = cls.certificates.sign("mx.smtpscope.test", "DNS:localhost,IP:127.0.0.1")
        cls.starttls, cls.implicit, cls.postscreen = free_port(), free_port(), free_port()
        cls.postfix = cls.enterClassContext(
            Postfix(
                f"smtpd_tls_cert_file = {certificate}\nsmtpd_tls_key_file = {key}\n"
                "smtpd_tls_security_level = may\npostscreen_upstream_proxy_protocol = haproxy\n"
                "postscreen_greet_action = enforce\npostscreen_greet_wait = 2s\n"
                # Also for those who are not of Postfix's own network.
                "smtpd_relay_restrictions = reject_unauth_destination\n" + XCLIENT,
                SERVICES.format(starttls=cls.starttls, implicit=cls.implicit, postscreen=cls.postscreen),
            )
        )

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def intercept(self, port, *options):
        trusted = ("--upstream-ca", str(self.certificates.ca))
        return Proxy(f"localhost:{port}", self.folder, "--tls", "intercept", *trusted, *options)

    @staticmethod
    def trusting():
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def from_balancer(self, port, header):
        """Of an address that may say for whom it connects."""
        balancer = socket.create_connection(("127.0.0.1", port), DEADLINE, ("127.0.0.2", 0))
        balancer.sendall(header)
        return balancer

    def is_in_tls(self, proxy):
        """The session, in TLS with both sides; nothing in it is accused."""
        (session,) = sessions(proxy.capture)
        self.assertEqual({(h["with"], h["completed"]) for h in session.fields["tls"]},
                         {("server", True), ("client", True)})
        self.assertEqual(session.outcomes(), ["accepted"])
        self.assertEqual(session.above_info(), [])
        return session

    def test_before_starttls(self):
        for client, port, options in (
            ("127.0.0.11", self.starttls, ("--send-proxy", "v2")),
            ("127.0.0.12", self.postfix.port, ("--xclient",)),
        ):
            with self.subTest(options):
                with self.intercept(port, *options, "--force") as proxy:
                    with smtplib.SMTP("127.0.0.1", proxy.port, "client.example", DEADLINE, (client, 0)) as sender:
                        sender.starttls(context=self.trusting())
                        sender.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)
                    self.postfix.lines.wait_for(rf": client=unknown\[{client}\]")
                    proxy.finish()
                self.is_in_tls(proxy)

    def test_before_tls_from_the_first_octet(self):
        """A balancer names the client in front of its TLS, smtpscope in front of the server's."""
        options = ("--listen-tls", "127.0.0.1:0", "--upstream-tls", "implicit", "--accept-proxy",
                   "--proxy-from", "127.0.0.2", "--send-proxy", "v1")
        with self.intercept(self.implicit, *options) as proxy:
            port = int(proxy.errors.wait_for(r"listening on \S*:(\d+) .*TLS from")[1])
            plain = self.from_balancer(port, b"PROXY TCP4 192.0.2.77 203.0.113.25 40000 465\r\n")
            with smtplib.SMTP() as sender:
                sender.sock = self.trusting().wrap_socket(plain)
                self.assertEqual(sender.getreply()[0], 220)
                sender.ehlo("client.example")
                sender.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)
            self.postfix.lines.wait_for(r": client=unknown\[192\.0\.2\.77\]")
            proxy.finish()
        self.assertEqual(self.is_in_tls(proxy).fields["client"], "192.0.2.77:40000")

    def test_behind_postscreen(self):
        """Which judges the client before smtpd has it, and tells smtpd."""
        options = ("--accept-proxy", "--proxy-from", "127.0.0.2", "--send-proxy", "v2")
        with Proxy(f"127.0.0.1:{self.postscreen}", self.folder, *options) as proxy:
            # Of Postfix's own network, and so not examined.
            with smtplib.SMTP("127.0.0.1", proxy.port, "client.example", DEADLINE, ("127.0.0.13", 0)) as sender:
                sender.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)
            self.postfix.lines.wait_for(r"(ALLOW|WHITE)LISTED \[127\.0\.0\.13\]")
            self.postfix.lines.wait_for(r": client=unknown\[127\.0\.0\.13\]")
            # A stranger that speaks before the greeting is noticed, as himself.
            early = b"PROXY TCP4 192.0.2.78 203.0.113.25 40000 25\r\nEHLO early\r\n"
            with self.from_balancer(proxy.port, early) as balancer, balancer.makefile("rb") as replies:
                self.postfix.lines.wait_for(r"PREGREET .* from \[192\.0\.2\.78\]:40000")
                balancer.sendall(b"QUIT\r\n")
                replies.read()
            proxy.finish()


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
