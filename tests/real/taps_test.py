"""One session recorded near the client and near the server, with something in between.

The story that smtpscope was made for, seen from both sides: sSMTP, a tap, a mail scanner, a tap,
Postfix. And the same with nothing in between but a relay that does not look at what it carries.
"""

import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import clients
import root
from follow import DEADLINE, Lines
from postfix import Postfix
from scanner import Scanner
from smtpscope import BINARY, Proxy

MESSAGE = (
    b"From: alice@example.com\nTo: bob@example.net\nSubject: figures\n\n"
    b"First line.\n.A line with a dot.\nLast line.\n"
)
RECIPIENT = "bob@example.net"
SCAN = 3.0  # s
# The wall clock and the monotonic one are read one behind the other when a capture begins: ns.
CLOCK_READINGS = 1_000_000
SCANNERS_354 = "354 Start mail input; end with <CRLF>.<CRLF>"
POSTFIX_354 = "354 End data with <CR><LF>.<CR><LF>"


class Relay:
    """socat: octets in, octets out. Started by `with`; `port` is where it listens."""

    def __init__(self, server_port):
        self._command = ["socat", "-d", "-d", "TCP4-LISTEN:0,bind=127.0.0.1,fork"]
        self._command.append(f"TCP4:127.0.0.1:{server_port}")

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self._lines = Lines(self._process.stderr, "socat")
        self.port = int(self._lines.wait_for(r"listening on AF=2 127\.0\.0\.1:(\d+)")[1])
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(DEADLINE)
        self._lines.close()


class Taps(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.postfix = self.enterContext(Postfix())
        # Each has its own, for what it prints.
        for tap in ("laptop", "mx"):
            (self.folder / tap).mkdir()
        self.near_client = self.folder / "laptop" / "near-client.smtpcap"
        self.near_server = self.folder / "mx" / "near-server.smtpcap"

    def record(self, between, send):
        """Sends through a tap, what `between` makes in front of a port, and another tap."""
        upstream = f"127.0.0.1:{self.postfix.port}"
        server = self.tap("mx", upstream, self.near_server)
        with server, between(server.port) as middle:
            upstream = f"127.0.0.1:{middle.port}"
            with self.tap("laptop", upstream, self.near_client) as client:
                send(client.port)
                client.finish()
            server.finish()

    def tap(self, name, upstream, capture):
        return Proxy(upstream, capture.parent, "--tap", name, capture=capture.name)

    def diff(self, *options, code):
        done = subprocess.run(
            [BINARY, "diff", "--taps", *map(str, options)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr if code == 2 else done.stdout

    def json(self, code):
        return json.loads(
            self.diff("-f", "json", self.near_client, self.near_server, code=code)
        )

    def test_behind_the_scanner(self):
        def send(port):
            clients.ssmtp(port, MESSAGE, [RECIPIENT], self.folder)

        self.record(lambda port: Scanner(port, SCAN), send)
        self.assertIn(b"\n.A line with a dot.\n", self.postfix.mail(RECIPIENT)[0])

        document = self.json(code=1)
        (dialogue,) = document["dialogues"]
        self.assertEqual(dialogue["matched_by"], "message")
        changes = dialogue["changes"]
        injected = [(c["near_server"], "again" in c) for c in changes if c["kind"] == "command-injected"]
        # The client said neither RSET, and MAIL and RCPT once.
        self.assertEqual(
            injected,
            [
                ("RSET", False),
                ("RSET", False),
                (f"MAIL FROM:<{clients.SENDER}>", True),
                (f"RCPT TO:<{RECIPIENT}>", True),
            ],
        )
        (early,) = [c for c in changes if c["kind"] == "answered-between"]
        self.assertEqual(
            (early["verb"], early["near_client"], early["near_server"]),
            ("DATA", SCANNERS_354, POSTFIX_354),
        )
        # sSMTP waits a second before its dot; then it is scanned.
        self.assertAlmostEqual(early["time_ns"] / 1e9, SCAN + 1, delta=0.3)
        (held,) = [c for c in changes if c["kind"] == "delayed"]
        self.assertEqual(held["subject"], "mail data")
        self.assertAlmostEqual(held["time_ns"] / 1e9, SCAN, delta=0.3)
        self.assertEqual(len(changes), 6)
        self.assertEqual(
            [found["rule"] for found in dialogue["annotations"]],
            ["two-point-divergence", "interception-suspected"],
        )
        # Both proxies have one clock, so what is estimated can be checked.
        clock = document["taps"]["clock"]
        self.assertLessEqual(abs(clock["offset_ns"]), clock["uncertainty_ns"] + CLOCK_READINGS)

        text = self.diff(self.near_client, self.near_server, code=1)
        for words in (
            "what laptop saw",
            "It sent the server RSET twice, which the client never sent.",
            "It sent the server MAIL and RCPT once more than the client sent them.",
            "It answered DATA itself: the client had its answer",
            "warning two-point-divergence",
            "warning interception-suspected",
        ):
            self.assertIn(words, text)
        # One way is timed with two clocks, so the last digits may be short of it.
        self.assertRegex(text, r"It held the message for (2\.9|3\.)")
        self.assertNotRegex(text, r"(?i)symantec|norton|avast")

        words = self.diff(self.near_server, self.near_client, code=2)
        self.assertRegex(
            words,
            rf"in the wrong order.*{re.escape(str(self.near_client))} {re.escape(str(self.near_server))}",
        )

    def test_behind_a_relay_that_does_not_look(self):
        def send(port):
            clients.ssmtp(port, MESSAGE, [RECIPIENT], self.folder)
            clients.swaks(port, MESSAGE, [RECIPIENT], self.folder)
            clients.swaks_pipelining(port, MESSAGE, [RECIPIENT], self.folder)
            clients.curl_session(port, [MESSAGE, MESSAGE], [RECIPIENT], self.folder)

        self.record(Relay, send)
        document = self.json(code=0)
        taps = document["taps"]
        self.assertFalse(taps["changed"])
        self.assertEqual(len(document["dialogues"]), 4)
        for dialogue in document["dialogues"]:
            self.assertEqual(dialogue["changes"], [])
            self.assertEqual(dialogue["annotations"], [])
            self.assertEqual(len(dialogue["near_server"]), 1)
        self.assertEqual(sum(d["messages"] for d in document["dialogues"]), 5)
        # It takes its time, little of it.
        self.assertGreater(taps["delays"]["median_ns"], 0)
        self.assertLess(taps["delays"]["median_ns"], 1_000_000_000)

        text = self.diff(self.near_client, self.near_server, code=0)
        self.assertIn("Nothing between the two taps changed anything: ", text)
        self.assertIn("What lies between the taps takes", text)


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
