#!/usr/bin/env python3
"""Writes tests/parser/tls/*.txt: handshakes of OpenSSL as they go over the wire, each line a side
and its octets in hexadecimal. They stand in the repository because keys and times differ in every
run; this script says how they were made.

usage: make_tls_handshakes.py FOLDER
"""

import pathlib
import ssl
import subprocess
import sys
import tempfile


def make_certificates(folder):
    def run(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
        "-days", "3650", "-subj", "/O=Example/CN=Example Root")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
        "mail.key", "-out", "mail.csr", "-subj", "/CN=mail.example")
    (folder / "names").write_text("subjectAltName=DNS:mail.example,DNS:*.mx.example")
    run("x509", "-req", "-in", "mail.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "365", "-extfile", "names", "-out", "mail.pem")
    chain = (folder / "mail.pem").read_text() + (folder / "ca.pem").read_text()
    (folder / "chain.pem").write_text(chain)


class Handshake:
    def __init__(self, server, client, name, session=None):
        self.to_client, self.to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(self.to_server, self.from_server(), server_side=True)
        self.client = client.wrap_bio(self.to_client, self.from_client(), server_hostname=name,
                                      session=session)
        self.lines = []

    def from_server(self):
        self.server_out = ssl.MemoryBIO()
        return self.server_out

    def from_client(self):
        self.client_out = ssl.MemoryBIO()
        return self.client_out

    def turn(self, side, step, out, to):
        try:
            step()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            print(side, error)
        octets = out.read()
        if octets:
            self.lines.append(f"{side} {octets.hex()}")
            to.write(octets)
        return bool(octets)

    def run(self):
        going = True
        while going:
            going = self.turn("C", self.client.do_handshake, self.client_out, self.to_server)
            going |= self.turn("S", self.server.do_handshake, self.server_out, self.to_client)
        self.turn("C", lambda: self.client.write(b"EHLO x\r\n"), self.client_out, self.to_server)
        self.turn("S", lambda: self.server.write(b"250 x\r\n"), self.server_out, self.to_client)
        try:
            self.client.read(100)
        except ssl.SSLError:
            pass
        return "\n".join(self.lines) + "\n"


def contexts(folder, version, trust=True):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "chain.pem", folder / "mail.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trust:
        client.load_verify_locations(folder / "ca.pem")
    client.check_hostname = False
    for each in server, client:
        each.maximum_version = version
        each.set_alpn_protocols(["smtp"])
    return server, client


def main():
    target = pathlib.Path(sys.argv[1])
    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make_certificates(folder)

        server, client = contexts(folder, v12)
        first = Handshake(server, client, "mail.example")
        (target / "tls12.txt").write_text(first.run())
        again = Handshake(server, client, "mail.example", first.client.session)
        (target / "tls12_resumed.txt").write_text(again.run())

        server, client = contexts(folder, v12, trust=False)
        (target / "tls12_unknown_ca.txt").write_text(Handshake(server, client, "mx1.example").run())

        server, client = contexts(folder, v13)
        first = Handshake(server, client, "mail.example")
        (target / "tls13.txt").write_text(first.run())

        server, client = contexts(folder, v13)
        server.set_ecdh_curve("secp384r1")
        (target / "tls13_retry.txt").write_text(Handshake(server, client, "mail.example").run())

        server, client = contexts(folder, v12)
        server.maximum_version = server.minimum_version = v13
        (target / "protocol_version.txt").write_text(Handshake(server, client, None).run())


if __name__ == "__main__":
    main()
