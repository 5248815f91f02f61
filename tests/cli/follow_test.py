#!/usr/bin/env python3
"""smtpscope show --follow: lines come as the capture grows."""

import os
import select
import signal
import subprocess
import time
import unittest

from program import DEADLINE, PROGRAM, UTF8, Capture, ProgramTest, quiet_session, run


class Follow(ProgramTest):
    def start(self, *arguments, stdin=subprocess.DEVNULL):
        process = subprocess.Popen([PROGRAM, "show", "--follow", *map(str, arguments)], env=UTF8,
                                   stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def read_until(self, process, words):
        """What the program writes up to and including `words`."""
        end = time.monotonic() + DEADLINE
        text = b""
        while words.encode() not in text:
            ready, _, _ = select.select([process.stdout], [], [], end - time.monotonic())
            self.assertTrue(ready, f"no {words!r} in {text.decode()!r}")
            piece = os.read(process.stdout.fileno(), 65536)
            self.assertTrue(piece, f"ended before {words!r}: {text.decode()!r}")
            text += piece
        return text.decode()

    def test_grows_until_interrupted(self):
        capture = Capture()
        quiet_session(capture, 1)
        lines = [line + "\n" for line in capture.lines]
        path = self.file("a.smtpcap", "".join(lines[:4]).encode())
        process = self.start(path)
        seen = self.read_until(process, "220 mx\n")
        with open(path, "a", encoding="ascii") as file:
            # A line that is not whole yet is waited for.
            file.write(lines[4] + lines[5][:20])
            file.flush()
            seen += self.read_until(process, "EHLO host1.example\n")
            self.assertNotIn("250 mx", seen)
            file.write(lines[5][20:])
            file.flush()
            seen += self.read_until(process, "250 mx\n")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual((process.returncode, errors), (0, b""))
        self.assertIn("the session was still open", rest.decode())

    def test_terminated(self):
        capture = Capture()
        quiet_session(capture, 1)
        process = self.start(self.file("a.smtpcap", capture), "-f", "jsonl")
        self.read_until(process, '"event":"session-ended"')
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 0)

    def test_pipe_is_shown_as_it_comes(self):
        capture = Capture()
        quiet_session(capture, 1)
        lines = [line + "\n" for line in capture.lines]
        process = self.start("-", stdin=subprocess.PIPE)
        process.stdin.write("".join(lines[:5]).encode())
        process.stdin.flush()
        self.read_until(process, "EHLO host1.example\n")
        process.stdin.write("".join(lines[5:]).encode())
        rest, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual((process.returncode, errors), (0, b""))
        self.assertIn("221 bye", rest.decode())

    def test_same_as_without(self):
        capture = Capture()
        quiet_session(capture, 1)
        octets = capture.octets()
        process = self.start("-", stdin=subprocess.PIPE)
        out, _ = process.communicate(octets, timeout=DEADLINE)
        self.assertEqual(out.decode(), run("show", "-", stdin=octets).out)

    def test_follows_one_file(self):
        path = self.file("a.smtpcap", Capture())
        self.assert_fails(run("show", "--follow", path, path), "one file")


if __name__ == "__main__":
    unittest.main()
