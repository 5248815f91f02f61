#!/usr/bin/env python3
"""The live view on a terminal: a few sessions whole, a crowd one line each, and who waits in the last line."""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time
import unittest

from program import PROGRAM, UTF8

DEADLINE = 240
BOTTOM = re.compile(r"\x1b\[K(\d+) open: ([^\r]*)\r")


class Terminal:
    """A proxy whose stdout and stderr are a terminal."""

    def __init__(self, *arguments, term="xterm"):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.process = subprocess.Popen(
            [PROGRAM, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", "--grace", "0s", "--color", "never", *arguments],
            env={**UTF8, "TERM": term}, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
        os.close(slave)
        self.text = ""
        self.port = int(self.shown(r"listening on 127\.0\.0\.1:(\d+)")[1])

    def read(self, until):
        """What is shown until then, or something new. False at the end."""
        ready, _, _ = select.select([self.master], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise AssertionError(f"never shown:\n{self.text}")
        try:
            octets = os.read(self.master, 65536)
        except OSError:  # how Linux says that nobody writes there any more
            return False
        self.text += octets.decode(errors="replace").replace("\r\n", "\n")
        return bool(octets)

    def shown(self, pattern):
        until = time.monotonic() + DEADLINE
        while not (found := re.search(pattern, self.text)):
            assert self.read(until), f"never shown: {pattern}\n{self.text}"
        return found

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), DEADLINE)
        client.recv(1000)
        return client

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + DEADLINE
        while self.read(until):
            pass
        os.close(self.master)
        return self.process.wait(DEADLINE)


def say(client, line, *more):
    for each in (line, *more):
        client.sendall(each.encode() + b"\r\n")
        client.recv(4000)
        if each == "QUIT":
            client.close()


class LiveView(unittest.TestCase):
    def start(self, *arguments, **named):
        terminal = Terminal(*arguments, **named)
        clients = []
        self.addCleanup(lambda: [client.close() for client in clients])

        def connect():
            clients.append(terminal.connect())
            return clients[-1]
        return terminal, connect

    def test_a_crowd_gets_a_line_each(self):
        terminal, connect = self.start()
        clients = [connect() for _ in range(7)]
        terminal.shown(r"more than 5 sessions at once")
        bottom = terminal.shown(r"\x1b\[K7 open: [^\r]*\r")
        self.assertRegex(bottom[0], r"s\d client owes a command")
        self.assertLess(len(bottom[0]), 110)
        say(clients[6], "HELO host.example", "MAIL FROM:<alice@example.com>", "RCPT TO:<bob@example.net>", "QUIT")
        terminal.shown(r"s7 +127\.0\.0\.1:\d+ alice@example\.com→bob@example\.net not-sent")
        say(clients[0], "NOOP")
        terminal.shown(r"s1 .* C  NOOP")
        self.assertEqual(terminal.stop(), 0)
        self.assertEqual(len(re.findall("more than 5 sessions", terminal.text)), 1)
        self.assertNotRegex(terminal.text, "session 6 ")
        # All of them are in the table, and nothing is left of the last line.
        self.assertRegex(terminal.text, r"sessions +7 ")
        self.assertNotRegex(terminal.text.rsplit("summary of the run", 1)[1], r"\d open:")

    def test_full(self):
        terminal, connect = self.start("--full")
        clients = [connect() for _ in range(7)]
        say(clients[6], "HELO host.example")
        terminal.shown(r"s7 .* C  HELO host\.example")
        self.assertEqual(terminal.stop(), 0)
        self.assertNotIn("more than 5", terminal.text)

    def test_a_prefix_stays(self):
        terminal, connect = self.start()
        first, second = connect(), connect()
        terminal.shown(r"\ns2 +.*220")
        say(second, "QUIT")
        terminal.shown(r"s2 +what happened")
        say(first, "HELO host.example")
        terminal.shown(r"\ns1 .* C  HELO|Ks1 .* C  HELO")
        self.assertEqual(terminal.stop(), 0)
        self.assertNotRegex(terminal.text, r"(\n|K) +\+[\d.]+ .*C  HELO")

    def test_the_last_line_counts(self):
        terminal, connect = self.start()
        connect()
        first = terminal.shown(r"\x1b\[K1 open: s1 client owes a command (\d+) s\r")[1]
        # A slow machine may skip a second.
        terminal.shown(rf"\x1b\[K1 open: s1 client owes a command (?!{first} )\d+ s\r")
        self.assertEqual(terminal.stop(), 0)

    def test_brief(self):
        terminal, connect = self.start("--brief")
        client = connect()
        terminal.shown(r"\x1b\[K1 open: ")
        say(client, "QUIT")
        terminal.shown(r"s1 +127\.0\.0\.1:\d+ no-mail")
        self.assertEqual(terminal.stop(), 0)

    def test_a_dumb_terminal_keeps_its_lines(self):
        terminal, connect = self.start(term="dumb")
        say(connect(), "HELO host.example", "QUIT")
        terminal.shown("took ")
        self.assertEqual(terminal.stop(), 0)
        self.assertNotIn("\x1b", terminal.text)

    def test_what_excludes_each_other(self):
        done = subprocess.run([PROGRAM, "proxy", "--listen", "0", "--upstream", "sink", "--full", "--brief"], env=UTF8,
                              capture_output=True, text=True, timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--brief", done.stderr)


if __name__ == "__main__":
    unittest.main()
