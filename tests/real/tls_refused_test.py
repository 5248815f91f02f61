"""A server whose certificate is not as it must be gets no mail, whatever is wrong with it."""

import socket
import ssl
import tempfile
import threading
import unittest
from pathlib import Path

from follow import DEADLINE
from smtpscope import Proxy, sessions
from tls_kit import Certificates, openssl

# Each gives a certificate and its key; all but "right" are wrong in one thing. One of no days is over
# at once, and OpenSSL 3.4 and later make none of fewer.
KINDS = {
    "right": lambda good, other: good.sign("right", "DNS:localhost"),
    "another name": lambda good, other: good.sign("name", "DNS:mx.example"),
    "a name that it begins with": lambda good, other: good.sign("begin", "DNS:localhost.example"),
    "a name that it ends in": lambda good, other: good.sign("end", "DNS:mx.localhost"),
    "a wildcard for it all": lambda good, other: good.sign("star", "DNS:*"),
    "an address for a name": lambda good, other: good.sign("address", "IP:127.0.0.1"),
    "a mailbox for a name": lambda good, other: good.sign("mailbox", "email:localhost"),
    "over": lambda good, other: good.sign("over", "DNS:localhost", days=0),
    "for clients": lambda good, other: good.sign("usage", "DNS:localhost", usage="clientAuth"),
    "of another CA of that name": lambda good, other: other.sign("other", "DNS:localhost"),
    "signed by itself": lambda good, other: self_signed(good.folder),
    "signed by what is no CA": lambda good, other: signed_by_no_ca(good),
}


def self_signed(folder):
    certificate, key = folder / "self.pem", folder / "self.key"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", certificate, "-days", 2, "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", folder=folder)
    return certificate, key


def signed_by_no_ca(good):
    """A server that has a certificate of its own may not make one for another name."""
    issuer, issuer_key = good.sign("server", "DNS:mx.example")
    certificate, key, request = (good.folder / f"below.{end}" for end in ("pem", "key", "csr"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", request, "-subj", "/CN=localhost", folder=good.folder)
    (good.folder / "below.ext").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", request, "-CA", issuer, "-CAkey", issuer_key,
            "-CAcreateserial", "-out", certificate, "-days", 2, "-extfile", "below.ext",
            folder=good.folder)
    certificate.write_text(certificate.read_text() + issuer.read_text())
    return certificate, key


class Refused(unittest.TestCase):
    def test_each_kind(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as elsewhere:
            good, other = Certificates(Path(folder)), Certificates(Path(elsewhere))
            for name, make in KINDS.items():
                with self.subTest(kind=name):
                    said, session = self.meet(Path(folder), good.ca, *make(good, other))
                    (server,) = [h for h in session.fields["tls"] if h["with"] == "server"]
                    self.assertEqual(said.startswith(b"220 "), name == "right", said)
                    self.assertEqual(server.get("verification") == "ok", name == "right", server)

    def meet(self, folder, ca, certificate, key):
        """What a client is told, and the session that came of it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = threading.Thread(target=self.serve, args=(listener, context), daemon=True)
            server.start()
            options = ("--tls", "strip", "--upstream-tls", "implicit", "--upstream-ca", str(ca))
            with Proxy(f"localhost:{listener.getsockname()[1]}", folder, *options, "--force") as proxy:
                with socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) as client:
                    said = client.makefile("rb").readline()
                    client.sendall(b"QUIT\r\n")
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(4096):
                        pass
                proxy.finish()
                (session,) = sessions(proxy.capture)
            server.join(DEADLINE)
        return said, session

    @staticmethod
    def serve(listener, context):
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.sendall(b"220 mx.example ESMTP\r\n")
                if tls.recv(4096):
                    tls.sendall(b"221 bye\r\n")
                    # To the end: a close before that would be a reset, and relayed as one.
                    while tls.recv(4096):
                        pass
        except OSError:  # the client did not like what it saw
            connection.close()


if __name__ == "__main__":
    unittest.main()
