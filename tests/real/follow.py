"""Waiting for things to happen, with a deadline, and never by sleeping."""

import os
import random
import re
import selectors
import socket
import subprocess
import time
from pathlib import Path

# How long anything may take that is expected to happen: generous, because a loaded machine is slow
# and a test that waits for an event loses nothing by a long deadline.
DEADLINE = 240.0


class Lines:
    """The lines of a stream as they come, all of them kept. Owns `stream` (a binary file)."""

    def __init__(self, stream, name):
        self.name = name
        self._stream = stream
        os.set_blocking(stream.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(stream, selectors.EVENT_READ)
        self._partial = b""
        self.lines = []
        self._open = True

    def close(self):
        self._selector.close()
        self._stream.close()

    def _read(self, timeout):
        """Takes in what is there, waiting up to `timeout` seconds for the first of it."""
        if not self._selector.select(timeout):
            return
        data = self._stream.read(1 << 16)
        if data is None:
            return
        if not data:
            self._open = False
        self._partial += data
        *whole, self._partial = self._partial.split(b"\n")
        self.lines += [line.decode("utf-8", "backslashreplace") for line in whole]

    def wait_for(self, pattern, count=1, start=0):
        """The `count`-th match of `pattern` in the lines from number `start`; fails at the deadline."""
        end = time.monotonic() + DEADLINE
        found = []
        at = start
        while True:
            while at < len(self.lines):
                if match := re.search(pattern, self.lines[at]):
                    found.append(match)
                    if len(found) == count:
                        return match
                at += 1
            left = end - time.monotonic()
            if left <= 0 or not self._open:
                why = "deadline passed" if self._open else "the stream ended"
                tail = "\n  ".join(self.lines[-30:])
                raise AssertionError(
                    f"{self.name}: {why} with {len(found)} of {count} matches of {pattern!r};"
                    f" the last lines:\n  {tail}"
                )
            self._read(left)

    def has(self, pattern):
        """Whether a line so far matches; does not wait."""
        self._read(0)
        return any(re.search(pattern, line) for line in self.lines)

    def rest(self):
        """Reads to the end of the stream and gives every line."""
        end = time.monotonic() + DEADLINE
        while self._open:
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{self.name}: did not end")
            self._read(left)
        if self._partial:
            self.lines.append(self._partial.decode("utf-8", "backslashreplace"))
            self._partial = b""
        return self.lines


class FollowedFile(Lines):
    """The lines of a file that another program is writing; it may not exist yet."""

    def __init__(self, path):
        self._tail = subprocess.Popen(
            ["tail", "--quiet", "-n", "+1", "-F", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        super().__init__(self._tail.stdout, str(path))

    def close(self):
        self._tail.terminate()
        self._tail.wait(DEADLINE)
        super().close()


_claims = []


def free_port():
    """A port for programs that cannot be told to choose one.

    It is none of those that the kernel hands out by itself, and no other test gets it until this
    process ends: two servers that shared one got each other's mail.
    """
    first_of_the_kernel = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, max(first_of_the_kernel, 11_000))
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0smtpscope test port {port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


def answers(port, process):
    """Waits until `port` takes connections: true; or until `process` has ended: false.

    For programs that do not say when they listen.
    """
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), DEADLINE).close()
            return True
        except ConnectionRefusedError:
            pass
        try:
            process.wait(0.01)
            return False
        except subprocess.TimeoutExpired:
            pass
    raise AssertionError(f"{process.args[0]} does not answer on port {port}")
