"""TLS that goes wrong, on either side of an interception: nothing hangs, nothing is lost, and it is told."""

import socket
import ssl
import struct
import subprocess
import threading
import unittest

import root
from follow import DEADLINE
from smtpscope import Proxy, sessions, show
from tls_kit import TlsCase

SECRET = "a+secret+that+nobody+may+read"


class Client:
    """A client that does by hand what a mail program does, up to the moment when TLS begins."""

    def __init__(self, port, version=None):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines = self.socket.makefile("rb")
        context = ssl._create_unverified_context()
        if version:
            context.minimum_version = context.maximum_version = version
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def reply(self):
        while (line := self.lines.readline())[3:4] == b"-":
            pass
        return line

    def starttls(self):
        self.reply()
        self.socket.sendall(b"EHLO client.example\r\n")
        self.reply()
        self.socket.sendall(b"STARTTLS\r\n")
        return self.reply()

    def hello(self):
        """The ClientHello."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self._out.read()

    def carry(self, step, cut):
        """Does `step` with TLS; what it has to send goes out in pieces of `cut` octets."""
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                done = None
            out = self._out.read()
            for at in range(0, len(out), cut):
                self.socket.sendall(out[at : at + cut])
            if done is not None:
                return done
            read = self.socket.recv(65536)
            if not read:
                raise ConnectionError("closed")
            self._in.write(read)

    def rest(self):
        """All that comes until the other end closes."""
        read = b""
        try:
            while more := self.socket.recv(65536):
                read += more
        except ConnectionResetError:
            pass
        return read


class OddServer:
    """Grants STARTTLS with `beyond` behind the 220, and then does `behind` with the connection."""

    def __init__(self, behind, beyond=b""):
        self._behind = behind
        self._beyond = beyond
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE)

    def _serve(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            peer.settimeout(DEADLINE)
            with peer, peer.makefile("rb") as lines:
                peer.sendall(b"220 odd ESMTP\r\n")
                while line := lines.readline():
                    if line.upper().startswith(b"STARTTLS"):
                        peer.sendall(b"220 go ahead\r\n" + self._beyond)
                        self._behind(peer)
                        break
                    peer.sendall(b"250-odd\r\n250 STARTTLS\r\n")


def read_to_the_end(peer):
    try:
        while peer.recv(65536):
            pass
    except OSError:
        pass


def alert(level, description):
    return struct.pack(">BHHBB", 21, 0x0303, 2, level, description)


class Oddities(TlsCase):
    def intercept(self, port=None, *options):
        return Proxy(
            f"localhost:{port or self.postfix.port}",
            self.folder,
            *("--tls", "intercept", "--upstream-ca", str(self.certificates.ca), *options),
        )

    def the_session(self, proxy):
        live = proxy.finish()
        self.assertEqual(live, show(proxy.capture))
        (session,) = sessions(proxy.capture)
        return session

    def failures(self, session):
        return [(h["with"], h.get("failed_by"), h["failure"]) for h in session.fields["tls"]]

    def test_a_handshake_in_single_octets(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name), self.intercept(None, "--force") as proxy:
                with Client(proxy.port, version) as client:
                    client.starttls()
                    client.carry(lambda: client.tls.do_handshake() or True, 1)
                    client.carry(lambda: client.tls.write(b"EHLO client.example\r\n"), 1)
                    said = b""
                    while b"250 " not in said:
                        said += client.carry(lambda: client.tls.read(65536), 1)
                    client.carry(lambda: client.tls.write(b"QUIT\r\n"), 1)
                    self.assertIn(b"221", client.carry(lambda: client.tls.read(65536), 1))
                session = self.the_session(proxy)
                self.assertEqual([h["completed"] for h in session.fields["tls"]], [True, True])
                self.assertEqual(session.verbs(), ["EHLO", "STARTTLS", "EHLO", "QUIT"])

    def test_garbage_instead_of_a_client_hello(self):
        with self.intercept() as proxy:
            with Client(proxy.port) as client:
                client.starttls()
                client.socket.sendall(b"MAIL FROM:<eve@example.com>\r\n")
                client.rest()
            session = self.the_session(proxy)
        self.assertEqual(self.failures(session), [("client", "proxy", "what came is not TLS")])
        # It went nowhere, and it is shown and flagged.
        self.assertIn("starttls-injection-client", session.rules())
        self.assertIn("eve@example.com", proxy.capture.read_text())
        self.assertNotIn("eve@example.com", "\n".join(self.postfix.lines.lines))

    def test_what_is_pipelined_behind_starttls(self):
        with self.intercept() as proxy:
            with Client(proxy.port) as client:
                client.reply()
                client.socket.sendall(b"EHLO client.example\r\n")
                client.reply()
                client.socket.sendall(b"STARTTLS\r\nMAIL FROM:<eve@example.com>\r\n")
                self.assertEqual(client.reply()[:3], b"220")
                client.carry(lambda: client.tls.do_handshake() or True, 65536)
                client.carry(lambda: client.tls.write(b"QUIT\r\n"), 65536)
                # No reply to MAIL: neither side carried it out.
                self.assertEqual(client.carry(lambda: client.tls.read(65536), 65536)[:3], b"221")
            session = self.the_session(proxy)
        self.assertIn("starttls-injection-client", session.rules())
        self.assertIn("eve@example.com", proxy.capture.read_text())

    def test_a_client_that_closes_in_the_middle_of_the_handshake(self):
        with self.intercept() as proxy:
            with Client(proxy.port) as client:
                client.starttls()
                client.socket.sendall(client.hello()[:20])
                client.socket.shutdown(socket.SHUT_WR)
                client.rest()
            session = self.the_session(proxy)
        self.assertEqual(
            self.failures(session),
            [("client", "client", "it closed in the middle of the handshake")],
        )
        self.assertIn("tls-handshake-failed", session.rules())

    def test_alerts_in_place_of_a_handshake(self):
        for name, storm in (
            ("fatal", alert(2, 40)),
            ("a storm of warnings", alert(1, 90) * 5000),
        ):
            with self.subTest(name), self.intercept(None, "--force") as proxy:
                with Client(proxy.port) as client:
                    client.starttls()
                    try:
                        client.socket.sendall(storm)
                    except ConnectionError:
                        pass
                    client.rest()
                session = self.the_session(proxy)
                ((side, _, _),) = self.failures(session)
                self.assertEqual(side, "client")
                self.assertLess(proxy.capture.stat().st_size, 200_000)

    def test_a_server_that_never_speaks_tls(self):
        with OddServer(read_to_the_end) as server, self.intercept(server.port) as proxy:
            with Client(proxy.port) as client:
                client.starttls()
                client.socket.sendall(client.hello())
                # The client waits in vain, as it would without smtpscope, and goes.
                client.socket.shutdown(socket.SHUT_WR)
                client.rest()
            session = self.the_session(proxy)
        told = {side: failure for side, _, failure in self.failures(session)}
        self.assertIn("client", told)
        self.assertIn("did not answer", told["server"])

    def test_a_client_that_leaves_while_the_server_is_being_asked(self):
        asked = threading.Event()

        def think(peer):
            asked.set()
            read_to_the_end(peer)

        with OddServer(think) as server, Proxy(
            f"localhost:{server.port}",
            self.folder,
            *("--tls", "strip", "--upstream-tls", "starttls"),
            *("--upstream-ca", str(self.certificates.ca)),
        ) as proxy:
            with Client(proxy.port) as client:
                client.reply()
                self.assertTrue(asked.wait(DEADLINE))
                client.socket.shutdown(socket.SHUT_WR)
                client.rest()
            session = self.the_session(proxy)
        # It is not the server that failed.
        self.assertEqual(
            self.failures(session), [("server", "proxy", "the client closed before it was complete")]
        )
        self.assertEqual(
            [a["fault"] for a in session.fields["annotations"] if "tls" in a["rule"]], ["client"]
        )

    def test_a_server_that_says_something_else(self):
        def babble(peer):
            peer.sendall(b"500 what?\r\n")
            read_to_the_end(peer)

        def leave(peer):
            peer.recv(65536)

        def refuse(peer):
            peer.recv(65536)
            peer.sendall(alert(2, 70))
            read_to_the_end(peer)

        for name, behind, words, seen in (
            ("plain text", babble, "not TLS", ssl.SSLError),
            ("closes", leave, "closed", ssl.SSLError),
            ("alert", refuse, "protocol version", ssl.SSLError),
        ):
            with self.subTest(name), OddServer(behind) as server:
                with self.intercept(server.port, "--force") as proxy:
                    with Client(proxy.port) as client:
                        client.starttls()
                        # An alert, and not just the end of the connection.
                        with self.assertRaises(seen):
                            client.carry(lambda: client.tls.do_handshake() or True, 65536)
                    session = self.the_session(proxy)
                told = {side: failure for side, _, failure in self.failures(session)}
                self.assertIn(words.lower(), told["server"].lower())
                self.assertIn("tls-handshake-failed", session.rules())

    def test_what_the_server_says_behind_its_220(self):
        def go_on_in_tls(peer):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate, self.key)
            with context.wrap_socket(peer, server_side=True) as inside:
                inside.recv(65536)
                inside.sendall(b"221 bye\r\n")

        with OddServer(go_on_in_tls, b"250 injected.example\r\n") as server, self.intercept(
            server.port
        ) as proxy:
            with Client(proxy.port) as client:
                client.starttls()
                client.carry(lambda: client.tls.do_handshake() or True, 65536)
                client.carry(lambda: client.tls.write(b"QUIT\r\n"), 65536)
                self.assertEqual(client.carry(lambda: client.tls.read(65536), 65536)[:3], b"221")
            session = self.the_session(proxy)
        self.assertIn("starttls-injection-server", session.rules())
        self.assertIn("injected.example", proxy.capture.read_text())

    def test_a_reply_to_be_rewritten_that_the_server_breaks_off(self):
        said = b"220 odd ESMTP\r\n250-odd\r\n250-PIPE"

        def serve():
            peer, _ = listener.accept()
            with peer, peer.makefile("rb") as lines:
                peer.sendall(said[:15])
                lines.readline()
                peer.sendall(said[15:])

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=serve)
            thread.start()
            port = listener.getsockname()[1]
            with Proxy(f"127.0.0.1:{port}", self.folder, "--tls", "strip") as proxy:
                with Client(proxy.port) as client:
                    client.socket.sendall(b"EHLO client.example\r\n")
                    self.assertEqual(client.rest(), said)
                session = self.the_session(proxy)
            thread.join(DEADLINE)
        self.assertIn("250-PIPE", show(proxy.capture))
        self.assertEqual([c["side"] for c in session.fields["closes"]][0], "server")

    def test_renegotiation_is_refused(self):
        with self.intercept() as proxy:
            done = subprocess.run(
                ["openssl", "s_client", "-connect", f"localhost:{proxy.port}"]
                + ["-starttls", "smtp", "-tls1_2", "-crlf"],
                input=b"R\n",  # s_client's word for it
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=DEADLINE,
            )
            session = self.the_session(proxy)
        self.assertIn(b"RENEGOTIATING", done.stdout)
        self.assertIn(b"no renegotiation", done.stdout)
        self.assertIn(100, [a["description"] for a in session.fields["tls_alerts"]])

    def test_a_login_inside_tls_is_masked(self):
        with self.intercept() as proxy:
            with Client(proxy.port) as client:
                client.starttls()
                client.carry(lambda: client.tls.do_handshake() or True, 65536)
                for line in ("EHLO client.example", f"AUTH PLAIN {SECRET}"):
                    client.carry(lambda: client.tls.write(f"{line}\r\n".encode()), 65536)
                    said = b""
                    while not said.endswith(b"\r\n"):
                        said += client.carry(lambda: client.tls.read(65536), 65536)
            session = self.the_session(proxy)
            shown = show(proxy.capture)
        self.assertIn("AUTH", session.verbs())
        for text in (shown, proxy.capture.read_text()):
            self.assertNotIn(SECRET, text)
        self.assertNotIn("auth-cleartext", session.rules())


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
