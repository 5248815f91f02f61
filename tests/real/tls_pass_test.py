"""TLS that is passed through: what a real client and a real Postfix show of it, and what nobody can see."""

import json
import ssl
import smtplib
import unittest

import clients
import root
from follow import DEADLINE
from smtpscope import Proxy, sessions, show
from tcpdump import Tcpdump
from tls_kit import TlsCase, TlsPostfix

VERSIONS = {ssl.TLSVersion.TLSv1_2: "TLS 1.2", ssl.TLSVersion.TLSv1_3: "TLS 1.3"}
MESSAGE = b"Subject: figures\r\n\r\nNobody but the two of us sees this line.\r\n"
BLIND = {"ext-changed-after-tls", "reply-missing", "missing-quit", "server-closed-without-421"}


def records(session):
    """The TLS records: what they are and what was read in them. Not the alerts of parting, behind
    which packets may be missing."""
    told = ("side", "record", "length", "handshake", "encrypted", "client_hello", "server_hello")
    told += ("certificates",)
    return [
        {name: e[name] for name in told if name in e}
        for e in session["entries"]
        if e["kind"] == "tls-record" and e["record"] != "alert"
    ]


class TlsPass(TlsCase):
    NAMES = "DNS:mx.smtpscope.test,DNS:localhost,IP:127.0.0.1"

    def talk(self, port, version, trust):
        context = ssl.create_default_context(cafile=str(self.certificates.ca) if trust else None)
        context.minimum_version = context.maximum_version = version
        with smtplib.SMTP("localhost", port, "client.example", DEADLINE) as client:
            client.starttls(context=context)
            client.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)

    def test_what_shows_from_outside(self):
        for version, name in VERSIONS.items():
            with self.subTest(name):
                capture = f"{name[-1]}.smtpcap"
                with Proxy(
                    f"127.0.0.1:{self.postfix.port}", self.folder, capture=capture
                ) as proxy:
                    with Tcpdump(proxy.port, self.folder / f"{name[-1]}.pcap") as tcpdump:
                        self.talk(proxy.port, version, trust=True)
                        tcpdump.wait_for_close()
                    live = proxy.finish()
                self.assertEqual(live, show(proxy.capture))
                self.assertNotIn(b"Nobody but the two", proxy.capture.read_bytes())
                (session,) = sessions(proxy.capture)
                self.assertEqual(session.verbs(), ["EHLO", "STARTTLS"])
                self.assertEqual(session.above_info(), [])
                totals = session.fields["end"]["totals"]["tls"]
                self.assertEqual(totals["version"], name)
                self.assertGreater(totals["handshake_ns"], 0)
                self.assertLessEqual(BLIND, {n["rule"] for n in session.fields["end"]["not_evaluated"]})
                self.assertIn("SNI localhost", live)
                # TLS 1.3 encrypts the certificate (RFC 8446 4.4.2).
                shown = "CN=mx.smtpscope.test for mx.smtpscope.test, localhost" in live
                self.assertEqual(shown, version == ssl.TLSVersion.TLSv1_2)
                # The same from packets, which tell records apart by what is in them, too.
                packets = json.loads(show(tcpdump.path, "-f", "json"))["sessions"]
                self.assertEqual(len(packets), 1)
                self.assertEqual(records(packets[0]), records(session.fields))

    def test_a_client_that_does_not_trust(self):
        for version, name in VERSIONS.items():
            with self.subTest(name):
                capture = f"{name[-1]}.smtpcap"
                with Proxy(
                    f"127.0.0.1:{self.postfix.port}", self.folder, capture=capture
                ) as proxy:
                    with self.assertRaises(ssl.SSLError):
                        self.talk(proxy.port, version, trust=False)
                    live = proxy.finish()
                (session,) = sessions(proxy.capture)
                self.assertIn("tls-handshake-failed", session.rules())
                (found,) = [
                    a for a in session.fields["annotations"] if a["rule"] == "tls-handshake-failed"
                ]
                told = found["attributes"]
                self.assertEqual((told["side"], told["alert"]), ("client", "48"))
                self.assertEqual(told["server_name"], "localhost")
                self.assertEqual(told["server_version"], name)
                refused = version == ssl.TLSVersion.TLSv1_2
                self.assertEqual("certificate_subject" in told, refused)
                self.assertEqual(
                    "the client refused the server's certificate CN=mx.smtpscope.test" in live,
                    refused,
                )

    def test_a_version_that_the_server_does_not_want(self):
        with TlsPostfix(
            *self.certificates.sign("strict", "DNS:localhost"),
            "smtpd_tls_mandatory_protocols = >=TLSv1.3\nsmtpd_tls_protocols = >=TLSv1.3\n",
        ) as strict:
            with Proxy(f"127.0.0.1:{strict.port}", self.folder) as proxy:
                with self.assertRaises(ssl.SSLError):
                    self.talk(proxy.port, ssl.TLSVersion.TLSv1_2, trust=True)
                live = proxy.finish()
        self.assertIn("a version that the client does not offer", live)
        (session,) = sessions(proxy.capture)
        (found,) = [a for a in session.fields["annotations"] if a["rule"] == "tls-handshake-failed"]
        self.assertEqual(found["attributes"]["side"], "server")
        self.assertEqual(found["attributes"]["alert"], "70")


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
