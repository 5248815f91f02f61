"""The same sessions seen twice: by the proxy, and by tcpdump beside it. Two ways, one timeline."""

import json
import tempfile
import unittest
from pathlib import Path

import clients
import root
from clean_test import BOB, CAROL, DOTS, EVERY_CLIENT, PLAIN, TWO
from postfix import Postfix
from smtpscope import Proxy, show
from tcpdump import Tcpdump

# The proxy takes its time when it has read, tcpdump when the packet went by: a machine at its limits
# lets the proxy wait.
TOLERANCE = 0.5e9  # ns

# What tells about the one connection that the other vantage point does not have, or depends on how
# long something took.
TIMED = {"first_ns", "last_ns", "time_ns", "wall", "since_previous_ns", "think_ns", "reads",
         "read_count", "began_ns", "ended_ns"}


def timeless(value):
    """Without what depends on the moment."""
    if isinstance(value, dict):
        return {name: timeless(member) for name, member in value.items() if name not in TIMED}
    if isinstance(value, list):
        return [timeless(member) for member in value]
    return value


# A pause near a limit may be above it at one place and below it at the other.
OF_TIME = {"data-stall", "eod-reply-slow", "gap-client", "gap-server", "greeting-delay", "nagle-delayed-ack",
           "pre-dot-pause", "reply-dripped", "round-pause"}


def findings(session):
    """What was found, without words and attributes: those may name a time."""
    parts = ("rule", "variant", "severity", "fault", "certainty", "entries",
             "transaction", "folded_under")
    return [{part: a[part] for part in parts if part in a} for a in session["annotations"]
            if a["rule"] not in OF_TIME]


class Packets(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Postfix())

    def both(self, send, count=1):
        """The sessions that `send` (port, folder) makes, from the proxy's capture and tcpdump's."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with Proxy(f"127.0.0.1:{self.server.port}", folder) as proxy:
                with Tcpdump(proxy.port, folder / "run.pcap") as tcpdump:
                    send(proxy.port, folder)
                    tcpdump.wait_for_sessions(count)
                    live = tcpdump.live_entries()
                proxy.finish()
            # All rules but those about time: what is slow for one may be quick for the other.
            options = ("-f", "json", "--off", "timing")
            own = json.loads(show(proxy.capture, *options))["sessions"]
            packets = json.loads(show(tcpdump.path, *options))["sessions"]
        shown = [(s["session"], e["kind"], e["end"] - e["begin"])
                 for s in packets for e in s["entries"]]
        self.assertCountEqual(live, shown, "the live view and the file")
        return own, packets

    def assert_same(self, own, packets):
        self.assertEqual(len(own), len(packets))
        for ours, theirs in zip(own, packets):
            for part in ("entries", "transactions"):
                self.assertEqual(timeless(ours[part]), timeless(theirs[part]), part)
            self.assertEqual(findings(ours), findings(theirs))
            self.assertEqual(ours["client"], theirs["client"])
            # Each connection of the proxy closes on its own: the order may be another.
            self.assertCountEqual([(c["side"], c["how"]) for c in ours["closes"]],
                                  [(c["side"], c["how"]) for c in theirs["closes"]])
            self.assertEqual(theirs["gaps"], [])
            # Both clocks begin somewhere else; what counts is the time between any two entries.
            first = [s["entries"][0]["first_ns"] for s in (ours, theirs)]
            for one, other in zip(ours["entries"], theirs["entries"]):
                for moment in ("first_ns", "last_ns"):
                    apart = (one[moment] - first[0]) - (other[moment] - first[1])
                    self.assertLess(abs(apart), TOLERANCE, one)

    def test_each_client(self):
        for name, client in EVERY_CLIENT.items():
            with self.subTest(client=name):
                self.assert_same(*self.both(
                    lambda port, folder, c=client: c(port, DOTS, [BOB, CAROL], folder)))

    def test_several_messages_and_sessions(self):
        def send(port, folder):
            for client in clients.SEVERAL.values():
                client(port, TWO, [BOB], folder)
            clients.swaks_pipelining(port, PLAIN, [BOB], folder)

        self.assert_same(*self.both(send, len(clients.SEVERAL) + 1))

    def test_a_large_message(self):
        message = PLAIN + b"0123456789abcdef\n" * 60_000
        self.assert_same(*self.both(
            lambda port, folder: clients.python_smtplib(port, message, [BOB], folder)))


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
