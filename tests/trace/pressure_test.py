"""The program under pressure: what the tracer cannot keep up with costs the record, never the mail."""

import multiprocessing
import os
import pty
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import tty
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))

from follow import DEADLINE, Lines  # noqa: E402
from smtpscope import BINARY, show_result  # noqa: E402

# What a NOOP may wait while others send as much as they can.
MOST_MS = 50.0
BLASTERS = 8
ROUNDS = 200


def serve(listener, answer):
    """Takes one connection after the other, each in a process of its own; never comes back."""
    while True:
        connection, _ = listener.accept()
        if os.fork() != 0:
            connection.close()
            continue
        listener.close()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer(connection)
        os._exit(0)


def answer_noops(connection):
    """Greets whoever says something; answers a NOOP, and is silent at everything else."""
    buffer = bytearray(1 << 18)
    while connection.recv_into(buffer):
        if buffer.startswith(b"NOOP"):
            connection.sendall(b"250 2.0.0 Ok\r\n")


def blast(port, stop):
    """What `yes "" | nc` does."""
    line_feeds = b"\n" * (1 << 16)
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
        while not stop.is_set():
            connection.sendall(line_feeds)


def kept_off_ms(pid):
    """How long the main thread of `pid` has wanted to run and had to wait for a processor."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e6


class Noops:
    """A session in which a NOOP goes to and fro."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def took(self):
        """Milliseconds for one."""
        began = time.monotonic()
        self._socket.sendall(b"NOOP\r\n")
        reply = self._socket.recv(100)
        assert reply == b"250 2.0.0 Ok\r\n", reply
        return (time.monotonic() - began) * 1000

    def close(self):
        self._socket.close()


class PressureTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start_server(self, answer):
        """Gives its port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        server = multiprocessing.get_context("fork").Process(
            target=serve, args=(listener, answer), daemon=True
        )
        server.start()
        self.addCleanup(server.join)
        self.addCleanup(server.kill)
        port = listener.getsockname()[1]
        listener.close()
        return port

    def start_proxy(self, upstream, *options, **how):
        command = [BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", upstream, *options]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **how
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        errors = Lines(process.stderr, "smtpscope proxy")
        self.addCleanup(errors.close)
        return process, errors, int(errors.wait_for(r"listening on \S*:(\d+)\b")[1])


class Terminal:
    """A terminal somebody looks at: what is written to it is read, and counted."""

    def __init__(self):
        self._master, self.end = pty.openpty()
        tty.setraw(self.end, termios.TCSANOW)
        self.octets = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        try:
            while data := os.read(self._master, 1 << 16):
                self.octets += len(data)
        except OSError:  # how Linux says that the other end was closed
            pass

    def close(self):
        if self.end < 0:
            return
        os.close(self.end)
        self.end = -1
        self._reader.join(DEADLINE)
        os.close(self._master)


class Blasters(PressureTest):
    def test_a_noop_beside_clients_that_send_line_feeds_without_pause(self):
        upstream = self.start_server(answer_noops)
        capture = self.folder / "blasted.smtpcap"
        terminal = Terminal()
        self.addCleanup(terminal.close)
        process, errors, port = self.start_proxy(
            f"127.0.0.1:{upstream}", "-v", "-w", str(capture), stdout=terminal.end
        )
        stop = multiprocessing.get_context("fork").Event()
        blasters = [
            multiprocessing.get_context("fork").Process(target=blast, args=(port, stop))
            for _ in range(BLASTERS)
        ]
        for blaster in blasters:
            blaster.start()
            self.addCleanup(blaster.kill)
        errors.wait_for("tracing could not keep up")

        # The machine itself makes a NOOP wait when it has more to do than processors. Not the
        # program's doing is the time in which its loop could run but got no processor; and what the
        # same NOOP takes without the proxy, at the same time, is granted for each of its two hops.
        through, beside = Noops(port), Noops(upstream)
        waits = []
        for _ in range(ROUNDS):
            kept_off = kept_off_ms(process.pid)
            took = through.took()
            waits.append((took - (kept_off_ms(process.pid) - kept_off), beside.took()))
        stop.set()
        through.close()
        beside.close()
        for blaster in blasters:
            blaster.join(DEADLINE)
        worst = max(wait for wait, _ in waits)
        granted = MOST_MS + 2 * max(wait for _, wait in waits)
        print(f"worst NOOP: {worst:.1f} ms, granted {granted:.1f} ms", file=sys.stderr)
        self.assertLess(worst, granted)

        process.send_signal(signal.SIGTERM)
        said = "\n".join(errors.rest())
        self.assertEqual(process.wait(DEADLINE), 2, said)
        terminal.close()
        self.assertGreater(terminal.octets, 1 << 16)
        # What is missing from the record is counted in it, and said.
        missing = re.search(r"could not keep up: (\d+) events? with (\d+) octets", said)
        self.assertIsNotNone(missing, said)
        counted = 0
        with open(capture, encoding="utf-8") as lines:
            for line in lines:
                if gap := re.search(r'"e":"gap".*"octets":(\d+)', line):
                    counted += int(gap[1])
                    self.assertRegex(line, "could not keep up|was stopped before")
        self.assertEqual(counted, int(missing[2]))
        self.assertGreater(counted, 0)


@unittest.skipIf("TSAN_OPTIONS" in os.environ, "the thread sanitizer ends a program when it cannot have memory itself")
class Memory(PressureTest):
    def test_memory_that_cannot_be_had_is_a_hole_and_harms_no_mail(self):
        """The capture is a pipe that nobody reads, and there is little memory to keep what waits."""
        process, errors, port = self.start_proxy(
            "sink", "-f", "none", "--message", "full", "-w", "-", "--grace", "0s",
            stdout=subprocess.PIPE,
            # A sanitizer's memory that is freed and kept would leave none for the words at the end.
            env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"},
        )
        self.addCleanup(process.stdout.close)
        size = int(re.search(r"VmSize:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())[1])
        limit = (size << 10) + (40 << 20)
        resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
        message = b"Subject: x\r\n\r\n" + b"0123456789" * 20000 + b"\r\n.\r\n"
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
                replies = client.makefile("rb")
                self.assertRegex(replies.readline(), b"^220 ")
                for line in (b"HELO a\r\n", b"MAIL FROM:<a@a.example>\r\n",
                             b"RCPT TO:<b@b.example>\r\n", b"DATA\r\n", message, b"QUIT\r\n"):
                    client.sendall(line)
                    self.assertRegex(replies.readline(), b"^[23]")
                replies.close()
        process.send_signal(signal.SIGTERM)
        said = "\n".join(errors.rest())
        self.assertEqual(process.wait(DEADLINE), 2, said)
        self.assertIn("200 sessions", said)
        self.assertRegex(said, "the capture has holes|could not keep up|missing from the record")


if __name__ == "__main__":
    unittest.main()
