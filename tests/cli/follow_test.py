#!/usr/bin/env python3
"""smtpscope show --follow: lines come as the capture grows."""

import os
import signal
import subprocess
import unittest

from following import Following
from program import DEADLINE, Capture, quiet_session, run


class Follow(Following):
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

    def test_a_log_that_is_rotated_goes_on(self):
        head = "Nov 24 10:00:00 mx postfix/smtpd[7]: "
        path = self.file("mail.log", f"{head}> c[192.0.2.1]: 220 mx ESMTP\n{head}< c[192.0.2.1]: EHLO c\n".encode())
        process = self.start(path)
        self.read_until(process, "EHLO c\n")
        # Moved away, begun anew: a last line still comes into the old one.
        os.rename(path, f"{path}.1")
        with open(f"{path}.1", "a", encoding="ascii") as file:
            file.write(f"{head}> c[192.0.2.1]: 250 mx\n")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{head}< c[192.0.2.1]: NOOP\n")
        seen = self.read_until(process, "NOOP\n")
        self.assertIn("250 mx", seen)
        # Emptied, as copytruncate does.
        with open(path, "w", encoding="ascii"):
            pass
        self.read_until_error(process, "was emptied")
        with open(path, "a", encoding="ascii") as file:
            file.write(f"{head}> c[192.0.2.1]: 250 Ok, nothing done\n")
        self.read_until(process, "nothing done\n")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 0)

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
