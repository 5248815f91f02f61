#!/usr/bin/env python3
"""smtpscope show: what it reads, what it writes, and where."""

import fcntl
import json
import os
import pty
import stat
import struct
import subprocess
import termios
import unittest
from pathlib import Path

from program import (CLEAN, DEADLINE, PROGRAM, ROOT, UTF8, Capture, ProgramTest, quiet_session,
                     replayed_session, run)

try:
    import jsonschema
except ImportError:
    jsonschema = None

BIDI = "\u202egnp\u2066".encode().decode("latin-1")  # as octets stand in a capture
HOSTILE = f"220 \x1b]0;owned\x07 \x1b]52;c;b3duZWQ=\x07 \u009b31m \x1b[2J {BIDI} mx"


def three_sessions():
    """Session 2 is the one with annotations; all of them overlap."""
    capture = Capture()
    parts = []
    for session, tell in ((1, quiet_session), (2, replayed_session), (3, quiet_session)):
        part = Capture()
        tell(part, session, session)
        parts += part.lines[1:]
    parts.sort(key=lambda line: json.loads(line)["t"])
    capture.lines += parts
    return capture


class Reading(ProgramTest):
    def test_timeline(self):
        capture = Capture()
        replayed_session(capture, 1)
        result = run("show", self.file("a.smtpcap", capture))
        self.assertEqual((result.code, result.err), (0, ""))
        for words in ("session 1   192.0.2.1:4000 → mx.example:25   2026-11-23 12:00:00.000Z",
                      " ┌ ", " ✗ ", " └ ", "client silent (owes a command)",
                      "▲ warning txn-replayed-after-rset:", "mail data 25 octets, 3 lines, 1 read",
                      "commands: ehlo=1 mail=2 rcpt=2 data=1 rset=1 quit=1", "what happened:"):
            self.assertIn(words, result.out)

    def test_standard_input(self):
        capture = three_sessions()
        path = self.file("a.smtpcap", capture)
        self.assertEqual(run("show", "-", stdin=capture.octets()).out, run("show", path).out)

    def test_missing_file_does_not_hide_the_others(self):
        capture = Capture()
        quiet_session(capture, 1)
        path = self.file("a.smtpcap", capture)
        result = run("show", self.folder / "none.smtpcap", path, self.folder)
        self.assertEqual(result.code, 2)
        self.assertIn("none.smtpcap", result.err.splitlines()[0])
        self.assertEqual(len(result.err.splitlines()), 2)
        self.assertIn("EHLO host1", result.out)

    def test_not_a_capture(self):
        for content in (b"", b"hello\n", b"{}\n", b"\x00" * 4096, b'{"smtpcap":99}\n'):
            with self.subTest(content[:20]):
                self.assert_fails(run("show", self.file("x.smtpcap", content)), "x.smtpcap")

    def test_cut_anywhere(self):
        capture = Capture()
        replayed_session(capture, 1)
        whole = capture.octets()
        header = whole.index(b"\n") + 1
        everything = json.loads(run("show", "-", "-f", "json", stdin=whole).out)
        entries = everything["sessions"][0]["entries"]
        for cut in range(header, len(whole), 97):
            with self.subTest(cut=cut):
                result = run("show", "-", "-f", "json", stdin=whole[:cut])
                self.assertEqual(result.code, 0)
                self.assertEqual("cut off" in result.err, whole[cut - 1:cut] != b"\n", result.err)
                sessions = json.loads(result.out)["sessions"]
                seen = sessions[0]["entries"] if sessions else []
                self.assertEqual(seen, entries[:len(seen)])

    def test_line_that_cannot_be_read(self):
        capture = Capture()
        quiet_session(capture, 1)
        capture.lines.insert(5, '{"t":3000000,"s":1,"e":"bytes","from":"cli')
        result = run("show", self.file("a.smtpcap", capture))
        self.assertEqual(result.code, 2)
        self.assertIn("could not be read", result.err)
        self.assertIn("the trace has a hole", result.out)
        document = json.loads(run("show", self.file("b.smtpcap", capture), "-f", "json").out)
        self.assertEqual(len(document["runs"][0]["gaps"]), 1)

    def test_session_without_its_beginning(self):
        capture = Capture()
        quiet_session(capture, 1)
        del capture.lines[1:3]
        result = run("show", self.file("a.smtpcap", capture))
        self.assertIn("EHLO host1", result.out)
        self.assertIn("not in the trace", result.out)

    def test_session_that_goes_on(self):
        capture = Capture()
        quiet_session(capture, 1)
        capture.lines = capture.lines[:5]
        result = run("show", self.file("a.smtpcap", capture))
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertIn("the session was still open", result.out)


class Choosing(ProgramTest):
    def sessions(self, *options):
        result = run("show", self.file("a.smtpcap", three_sessions()), "-f", "json", *options)
        self.assertEqual(result.err, "")
        return [session["session"] for session in json.loads(result.out)["sessions"]]

    def test_sessions(self):
        self.assertEqual(self.sessions(), [1, 2, 3])
        self.assertEqual(self.sessions("--session", "2"), [2])
        self.assertEqual(self.sessions("--session", "3,1"), [1, 3])
        self.assertEqual(self.sessions("--session", "3", "--session", "1"), [1, 3])

    def test_session_that_is_not_there(self):
        result = run("show", self.file("a.smtpcap", three_sessions()), "--session", "2,9")
        self.assertEqual(result.code, 2)
        self.assertIn("session 9", result.err)
        self.assertIn("EHLO host2", result.out)

    def test_only_annotated(self):
        self.assertEqual(self.sessions("--only-annotated"), [2])
        self.assertEqual(self.sessions("--only-annotated", "--severity", "warning"), [2])
        self.assertEqual(self.sessions("--only-annotated", "--severity", "error"), [])

    def test_session_by_session_or_by_time(self):
        path = self.file("a.smtpcap", three_sessions())
        whole = run("show", path).out
        self.assertLess(whole.index("txn-replayed"), whole.index("EHLO host3"))
        self.assertNotRegex(whole, r"(?m)^s2 ")
        by_time = run("show", "--interleave", path).out
        self.assertGreater(by_time.index("txn-replayed"), by_time.index("EHLO host3"))
        self.assertRegex(by_time, r"(?m)^s2 .* EHLO host2.example$")

    def test_several_files(self):
        one, two = Capture(), Capture()
        quiet_session(one, 1)
        replayed_session(two, 1)
        paths = [self.file("one.smtpcap", one), self.file("two.smtpcap", two)]
        text = run("show", *paths).out
        for path in paths:
            self.assertIn(f"{path}   2026-11-23", text)
        document = json.loads(run("show", "-f", "json", *paths).out)
        self.assertEqual([r["source"] for r in document["runs"]], [str(p) for p in paths])
        self.assertEqual([s["run"] for s in document["sessions"]], [0, 1])


class Writing(ProgramTest):
    def test_file_for_its_owner_only(self):
        path = self.file("a.smtpcap", three_sessions())
        out = self.folder / "a.txt"
        result = run("show", path, "-o", out)
        self.assertEqual((result.code, result.out, result.err), (0, "", ""))
        self.assertEqual(stat.S_IMODE(out.stat().st_mode), 0o600)
        self.assertEqual(out.read_text(encoding="utf-8"), run("show", path).out)

    def test_nothing_is_overwritten_unasked(self):
        path = self.file("a.smtpcap", three_sessions())
        out = self.file("a.txt", b"precious")
        self.assert_fails(run("show", path, "-o", out), "a.txt exists", "--force")
        self.assertEqual(out.read_bytes(), b"precious")
        self.assertEqual(run("show", path, "-o", out, "--force").code, 0)
        self.assertIn("EHLO host1", out.read_text(encoding="utf-8"))

    def test_the_capture_is_never_overwritten(self):
        capture = three_sessions()
        path = self.file("a.smtpcap", capture)
        link = self.folder / "link"
        link.symlink_to(path)
        for out in (path, link):
            self.assert_fails(run("show", path, "-o", out, "--force"), "being read")
            self.assertEqual(path.read_bytes(), capture.octets())

    def test_places_that_cannot_be_written(self):
        path = self.file("a.smtpcap", three_sessions())
        self.assert_fails(run("show", path, "-o", self.folder), "it is a folder")
        self.assert_fails(run("show", path, "-o", self.folder / "no" / "a.txt"), "No such file")
        self.assert_fails(run("show", path, "-o", "/dev/full"), "/dev/full", "No space left")
        self.assertEqual(run("show", path, "-o", "/dev/null").code, 0)

    def test_a_fifo_is_not_written_to(self):
        path = self.file("a.smtpcap", three_sessions())
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        for force in ((), ("--force",)):
            self.assert_fails(run("show", path, "-o", fifo, *force), "it is a FIFO", "only regular")
        self.assertEqual(os.read(reader, 1), b"")
        self.assertTrue(fifo.is_fifo())

    def test_a_stream_that_is_closed(self):
        """Nothing that is opened takes its place, and what was to go there is missed."""
        path = self.file("a.smtpcap", three_sessions())
        def closed(streams, *arguments):
            shell = f'exec "$@" {streams}'
            return subprocess.run(["bash", "-c", shell, "-", PROGRAM, *map(str, arguments)], env=UTF8,
                                  capture_output=True, text=True, timeout=240, check=False)
        shown = closed(">&-", "show", path)
        self.assertEqual((shown.returncode, shown.stdout), (2, ""))
        self.assertIn("cannot write standard output", shown.stderr)
        piped = closed("<&-", "show", "-")
        self.assertEqual((piped.returncode, piped.stdout), (2, ""))
        self.assertIn("standard input", piped.stderr)
        self.assertEqual(closed("<&- 2>&-", "show", path).stdout, run("show", path).out)

    def test_memory_is_bounded_however_long_a_session_is(self):
        if b"__asan_init" in Path(PROGRAM).read_bytes():
            self.skipTest("the address sanitizer keeps what was freed")
        capture = Capture()
        capture.open(0, 1)
        capture.server(1, 1, "220 mx\r\n")
        # The second session has to wait for the first.
        quiet_session(capture, 2, ms=2)
        for n in range(25_000):
            capture.client(10 + 2 * n, 1, "NOOP\r\n")
            capture.server(11 + 2 * n, 1, "250 ok\r\n")
        capture.end(90_000, 1)
        path = self.file("long.smtpcap", capture)
        out = self.folder / "long.json"
        taken = {}
        for form in ("jsonl", "json"):
            child = subprocess.Popen([PROGRAM, "show", path, "-f", form, "-o", out, "--force"],
                                     env=dict(UTF8, TMPDIR=str(self.folder)))
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(child.returncode, 0)
            taken[form] = usage.ru_maxrss
        # Without a bound it was 80 MB more; some 16 MiB of it may be in memory.
        self.assertLess(taken["json"] - taken["jsonl"], 40 * 1024)
        sessions = json.loads(out.read_text())["sessions"]
        self.assertEqual([s["session"] for s in sessions], [1, 2])
        self.assertEqual([len(s["entries"]) for s in sessions], [50_001, 5])
        for session in sessions:
            numbers = [e["number"] for e in session["entries"]]
            self.assertEqual(numbers, sorted(set(numbers)))
        # No room for what does not fit into memory: that is said, and it is a failure.
        result = run("show", path, "-f", "json", "-o", out, "--force",
                     env=dict(UTF8, TMPDIR="/nonexistent"))
        self.assertEqual(result.code, 2)
        self.assertIn("TMPDIR", result.err)

    def test_reader_that_has_gone(self):
        path = self.file("a.smtpcap", three_sessions())
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as gone:
            result = run("show", path, stdout=gone)
        self.assertEqual((result.code, result.err), (0, ""))

    @unittest.skipIf(jsonschema is None, "there is no Python module jsonschema")
    def test_json_is_what_the_schema_says(self):
        schema = json.loads((ROOT / "docs" / "timeline.schema.json").read_text(encoding="utf-8"))
        path = self.file("a.smtpcap", three_sessions())
        jsonschema.validate(json.loads(run("show", path, "-f", "json").out), schema)
        record = {"$ref": "#/$defs/record", "$defs": schema["$defs"]}
        lines = run("show", path, "-f", "jsonl").out.splitlines()
        self.assertGreater(len(lines), 20)
        for line in lines:
            jsonschema.validate(json.loads(line), record)


class Terminal(ProgramTest):
    def on_terminal(self, *arguments, columns=80, env=UTF8):
        """What the program writes on a terminal of that width."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                   stdout=theirs, stderr=subprocess.PIPE, env=env)
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not piece:
                break
            written += piece
        os.close(ours)
        errors = process.communicate(timeout=DEADLINE)[1]
        self.assertEqual((process.returncode, errors), (0, b""))
        return written.decode().replace("\r\n", "\n")

    def setUp(self):
        super().setUp()
        capture = Capture()
        replayed_session(capture, 1)
        self.path = self.file("a.smtpcap", capture)

    def test_colour(self):
        self.assertIn("\x1b[", self.on_terminal("show", self.path))
        self.assertNotIn("\x1b", self.on_terminal("show", self.path, env={**UTF8, "NO_COLOR": "1"}))
        self.assertIn("\x1b[", self.on_terminal("show", self.path, env={**UTF8, "NO_COLOR": ""}))
        self.assertNotIn("\x1b", self.on_terminal("show", self.path, env={**UTF8, "TERM": "dumb"}))
        self.assertNotIn("\x1b", self.on_terminal("show", self.path, "--color", "never"))
        self.assertIn("\x1b[", self.on_terminal("show", self.path, "--color", "always",
                                                env={**UTF8, "NO_COLOR": "1"}))

    def test_colour_in_a_pipe(self):
        self.assertNotIn("\x1b", run("show", self.path).out)
        self.assertIn("\x1b[", run("show", self.path, "--color", "always").out)

    def test_width(self):
        for columns in (50, 72, 100):
            lines = self.on_terminal("show", self.path, "--color", "never",
                                     columns=columns).splitlines()
            self.assertLessEqual(max(map(len, lines)), columns)
            self.assertGreater(max(map(len, lines)), columns - 15)
        narrow = self.on_terminal("show", self.path, "--color", "never", "--width", "60")
        self.assertLessEqual(max(map(len, narrow.splitlines())), 60)
        self.assertGreater(max(map(len, run("show", self.path).out.splitlines())), 150)

    def test_locale(self):
        self.assertTrue(run("show", self.path, env={**CLEAN, "LC_ALL": "C"}).out.isascii())
        self.assertFalse(run("show", self.path).out.isascii())

    def test_a_banner_cannot_drive_the_terminal(self):
        capture = Capture()
        quiet_session(capture, 1, greeting=HOSTILE)
        path = self.file("hostile.smtpcap", capture)
        for options in ([], ["-v"], ["-f", "json"], ["-f", "jsonl"]):
            with self.subTest(options):
                out = run("show", path, *options).out
                self.assertIn("owned", out)
                for character in out:
                    self.assertTrue(character == "\n" or character.isprintable(), repr(character))


if __name__ == "__main__":
    unittest.main()
