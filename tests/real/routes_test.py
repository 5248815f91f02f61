"""Two routes in one process: one to Postfix with a PROXY header, one that ends TLS."""

import json
import signal
import smtplib
import ssl
import tempfile
import unittest
import urllib.request
from pathlib import Path

import clients
import root
from follow import DEADLINE
from postfix import Postfix
from smtpscope import BINARY, Proxy, show
from tls_kit import Certificates

MESSAGE = b"From: alice@example.com\r\nTo: bob@example.net\r\nSubject: figures\r\n\r\nText.\r\n"
# Any address of the loopback may be a client's.
CLIENT = "127.0.0.9"


class RoutesProxy(Proxy):
    """With a configuration in the place of its options."""

    def __init__(self, folder, text):
        super().__init__("sink", folder)
        path = folder / "routes.conf"
        path.write_text(text)
        self._command = [BINARY, "proxy", "--config", str(path)]

    def port_of(self, route, behind="$"):
        return int(self.errors.wait_for(rf"route {route}: listening on \S*:(\d+) .*{behind}")[1])

    def send_signal(self, number):
        self._process.send_signal(number)


class Routes(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def send(self, client):
        with client:
            client.sendmail(clients.SENDER, ["bob@example.net"], MESSAGE)

    def test_two_routes(self):
        certificates = Certificates(self.folder)
        certificate, key = certificates.sign("mx", "IP:127.0.0.1")
        with Postfix("smtpd_upstream_proxy_protocol = haproxy\n") as postfix:
            configuration = f"""
                write = {self.folder / "run.smtpcap"}
                format = brief
                web = 0
                [route mx]
                listen = 127.0.0.1:0
                upstream = 127.0.0.1:{postfix.port}
                send-proxy = v2
                [route submission]
                listen-tls = 127.0.0.1:0
                upstream = sink
                tls = intercept
                cert = {certificate}
                key = {key}
                filter = outcome:refused
                """
            with RoutesProxy(self.folder, configuration) as proxy:
                mx = proxy.port
                submission = proxy.port_of("submission", "TLS from the first octet$")
                page = proxy.errors.wait_for(r"page: (http://[^/]*/)")[1]

                self.send(smtplib.SMTP("127.0.0.1", mx, "a.example", DEADLINE, source_address=(CLIENT, 0)))
                self.assertIn(b"Text.", postfix.mail("bob@example.net")[0])
                postfix.lines.wait_for(rf": client=unknown\[{CLIENT}\]")
                trust = ssl.create_default_context(cafile=certificates.ca)
                self.send(smtplib.SMTP_SSL("127.0.0.1", submission, "b.example", timeout=DEADLINE, context=trust))

                # Each certificate that there is is read again.
                certificates.sign("mx", "IP:127.0.0.1,DNS:renewed.example")
                proxy.send_signal(signal.SIGHUP)
                proxy.errors.wait_for("route submission: the certificates were read again")
                with smtplib.SMTP_SSL("127.0.0.1", submission, "c.example", timeout=DEADLINE, context=trust) as client:
                    shown = client.sock.getpeercert()["subjectAltName"]
                    self.assertIn(("DNS", "renewed.example"), shown)

                proxy.send_signal(signal.SIGUSR1)
                proxy.errors.wait_for(r"status: \d sessions? open, 3 in all")
                proxy.errors.wait_for(r"status of route mx: \d sessions? open, 1 in all, 0 unreachable")
                proxy.errors.wait_for(r"status of route submission: \d sessions? open, 2 in all")

                def counted():
                    with urllib.request.urlopen(page + "metrics", timeout=DEADLINE) as answer:
                        return answer.read().decode()

                # Once the tracer has seen them end.
                wanted = ('smtpscope_sessions_total{ended="clean",route="mx"} 1\n',
                          'smtpscope_sessions_total{ended="clean",route="submission"} 2\n')
                metrics = counted()
                while not all(line in metrics for line in wanted):
                    metrics = counted()
                for line in ('smtpscope_transactions_total{outcome="accepted",route="submission"} 1\n',
                             'smtpscope_sessions_open{route="mx"} 0\n',
                             'smtpscope_servers_unreachable_total{route="mx"} 0\n'):
                    self.assertIn(line, metrics)
                brief = proxy.finish()

        # The route's own filter; no other one's.
        self.assertEqual(len(brief.splitlines()), 1, brief)
        self.assertIn(CLIENT, brief)
        started = [record for record in map(json.loads, show(proxy.capture, "-f", "jsonl").splitlines())
                   if record["event"] == "session-started"]
        self.assertEqual([(one["session"], one["route"]) for one in started],
                         [(1, "mx"), (2, "submission"), (3, "submission")])
        self.assertEqual(started[1]["upstream"], "sink")
        text = show(proxy.capture, "--filter", "route:mx")
        self.assertRegex(text, r"session 1 .*route mx")
        self.assertNotRegex(text, r"session [23]\b")


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
