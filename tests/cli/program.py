"""Runs the program under test, and writes captures for it."""

import base64
import gzip
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.environ["SMTPSCOPE"]
ROOT = Path(os.environ["SMTPSCOPE_ROOT"])
DEADLINE = 240  # seconds: a program that hangs; nothing takes ten, but under a sanitizer on a busy machine

# What the shell of whoever runs the tests has set must not decide their outcome.
CLEAN = {key: value for key, value in os.environ.items()
         if key not in ("NO_COLOR", "TERM", "COLUMNS") and not key.startswith("LC_") and key != "LANG"}
UTF8 = {**CLEAN, "LC_ALL": "C.UTF-8", "TERM": "xterm"}


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def run(*arguments, stdin=b"", env=UTF8, stdout=subprocess.PIPE, cwd=None):
    done = subprocess.run([PROGRAM, *map(str, arguments)], input=stdin, env=env, stdout=stdout,
                          stderr=subprocess.PIPE, timeout=DEADLINE, check=False, cwd=cwd)
    return Result(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


def told_by(file):
    """What a file of a report tells; of the page its records, for script and base64 hold any word."""
    text = file.read_bytes().decode("latin-1")
    if file.suffix != ".html":
        return text
    packed = re.search(r'id="records">([^<]*)</script>', text)[1]
    plain = re.search(r"<noscript>(.*)</noscript>", text, re.S)[1]
    return gzip.decompress(base64.b64decode(packed)).decode() + plain


class Capture:
    """Lines of a capture, in the order in which they are told; times in milliseconds."""

    def __init__(self):
        self.lines = [json.dumps({
            "smtpcap": 1, "started": "2026-11-23T12:00:00.000000000Z", "writer": "smtpscope 0.0.0",
            "tap": "", "credentials": "masked", "message": "full"})]

    def event(self, ms, session, name, **fields):
        self.lines.append(json.dumps({"t": ms * 10**6, "s": session, "e": name, **fields}))

    def open(self, ms, session):
        self.event(ms, session, "open", client=f"192.0.2.{session}:4000", listener="127.0.0.1:2525",
                   upstream="mx.example:25")
        self.event(ms, session, "connected", server="198.51.100.7:25", took=10**6)

    def client(self, ms, session, text):
        self.event(ms, session, "bytes", **{"from": "client"}, data=text)

    def server(self, ms, session, text):
        self.event(ms, session, "bytes", **{"from": "server"}, data=text)

    def end(self, ms, session):
        for side in ("client", "server"):
            self.event(ms, session, "close", **{"from": side}, kind="fin")
        self.event(ms, session, "end")

    def octets(self):
        return ("\n".join(self.lines) + "\n").encode()


def quiet_session(capture, session, ms=0, greeting="220 mx"):
    capture.open(ms, session)
    capture.server(ms + 1, session, greeting + "\r\n")
    capture.client(ms + 2, session, f"EHLO host{session}.example\r\n")
    capture.server(ms + 3, session, "250 mx\r\n")
    capture.client(ms + 4, session, "QUIT\r\n")
    capture.server(ms + 5, session, "221 bye\r\n")
    capture.end(ms + 6, session)


def replayed_session(capture, session, ms=0):
    """Announced, withdrawn, announced again: what the tool was built for."""
    capture.open(ms, session)
    capture.server(ms + 1, session, "220 mx\r\n")
    capture.client(ms + 2, session, f"EHLO host{session}.example\r\n")
    capture.server(ms + 3, session, "250 mx\r\n")
    for start in (ms + 10, ms + 12_000):
        capture.client(start, session, "MAIL FROM:<alice@example.com>\r\n")
        capture.server(start + 1, session, "250 ok\r\n")
        capture.client(start + 2, session, "RCPT TO:<bob@example.net>\r\n")
        capture.server(start + 3, session, "250 ok\r\n")
        if start == ms + 10:
            capture.client(start + 4, session, "RSET\r\n")
            capture.server(start + 5, session, "250 ok\r\n")
    start = ms + 12_010
    capture.client(start, session, "DATA\r\n")
    capture.server(start + 1, session, "354 go\r\n")
    capture.client(start + 2, session, "Subject: hello\r\n\r\nHello\r\n.\r\n")
    capture.server(start + 3, session, "250 queued\r\n")
    capture.client(start + 4, session, "QUIT\r\n")
    capture.server(start + 5, session, "221 bye\r\n")
    capture.end(start + 6, session)


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content.octets() if isinstance(content, Capture) else content)
        return path

    def assert_fails(self, result, *words):
        """Exit code 2, and one line on stderr that says all of `words`."""
        self.assertEqual(result.code, 2, result.err)
        self.assertRegex(result.err, r"\Asmtpscope: [^\n]+\n\Z")
        for word in words:
            self.assertIn(word, result.err)
