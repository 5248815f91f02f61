#!/usr/bin/env python3
"""The files that rows are in: by table and hour, complete or marked as not, never replaced."""

import stat
import unittest

from rows import TABLES, Capture, ProgramTest, quiet_session, replayed_session, rows_of, run

HOUR = 3_600_000  # ms


class Files(ProgramTest):
    def names(self, folder):
        return sorted(file.name for file in (self.folder / folder).iterdir())

    def write(self, folder, *sessions, name="a.smtpcap"):
        capture = Capture()
        for number, ms in enumerate(sessions, 1):
            replayed_session(capture, number, ms)
        return run("show", "-f", "records", "-o", self.folder / folder, self.file(name, capture))

    def test_a_file_for_each_table_and_hour(self):
        written = self.write("r", 0, HOUR, 3 * HOUR)
        self.assertEqual((written.code, written.out, written.err), (0, "", ""))
        self.assertEqual(self.names("r"), sorted(f"{table}-2026-11-23T{hour}.jsonl" for table in TABLES
                                                 for hour in (12, 13, 15)))
        for file in (self.folder / "r").iterdir():
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE((self.folder / "r").stat().st_mode), 0o700)
        self.assertEqual([row["session"] for row in rows_of(self.folder / "r", "sessions")], [1, 2, 3])

    def test_a_row_is_in_the_hour_in_which_it_was_complete(self):
        self.write("r", HOUR - 5_000)  # it takes twelve seconds
        self.assertEqual(len(rows_of(self.folder / "r", "sessions", "*T12")), 0)
        self.assertEqual(len(rows_of(self.folder / "r", "sessions", "*T13")), 1)
        self.assertGreater(len(rows_of(self.folder / "r", "exchanges", "*T12")), 0)
        self.assertGreater(len(rows_of(self.folder / "r", "exchanges", "*T13")), 0)

    def test_no_file_is_replaced(self):
        self.write("r", 0)
        before = {file: file.read_bytes() for file in (self.folder / "r").iterdir()}
        self.assertEqual(self.write("r", 0, 60_000, name="b.smtpcap").code, 0)
        for file, content in before.items():
            self.assertEqual(file.read_bytes(), content)
        self.assertEqual(len(self.names("r")), 8)
        self.assertIn("sessions-2026-11-23T12-2.jsonl", self.names("r"))
        self.assertEqual(len(rows_of(self.folder / "r", "sessions")), 3)

    def test_several_captures_of_an_hour_share_its_files(self):
        capture = Capture()
        quiet_session(capture, 1)
        files = [self.file(name, capture) for name in ("a.smtpcap", "b.smtpcap")]
        run("show", "-f", "records", "-o", self.folder / "r", *files)
        self.assertEqual(len(self.names("r")), 2)
        self.assertEqual(len(rows_of(self.folder / "r", "sessions")), 2)

    def test_what_a_killed_process_left_is_completed(self):
        folder = self.folder / "r"
        folder.mkdir()
        left = {"sessions-2026-11-23T11.jsonl.part": b'{"a":1}\n{"b":',
                "findings-2026-11-23T11.jsonl.part": b'{"half',
                "findings-2026-11-23T10.jsonl.part": b'{"a":"' + b"x" * 10_000,
                "exchanges-2026-11-23T12.jsonl.part": b'{"c":1}\n',
                "exchanges-2026-11-23T12.jsonl": b'{"d":1}\n',
                "notes.part": b"mine"}
        for name, content in left.items():
            (folder / name).write_bytes(content)
        self.assertEqual(self.write("r", 0).code, 0)
        self.assertEqual((folder / "sessions-2026-11-23T11.jsonl").read_bytes(), b'{"a":1}\n')
        self.assertEqual((folder / "exchanges-2026-11-23T12.jsonl").read_bytes(), b'{"d":1}\n')
        self.assertEqual((folder / "exchanges-2026-11-23T12-2.jsonl").read_bytes(), b'{"c":1}\n')
        self.assertEqual((folder / "notes.part").read_bytes(), b"mine")
        self.assertEqual([name for name in self.names("r") if name.endswith(".part")], ["notes.part"])
        self.assertIn("exchanges-2026-11-23T12-3.jsonl", self.names("r"))

    def test_links_are_not_followed(self):
        folder = self.folder / "r"
        folder.mkdir()
        victim = self.file("victim", b"mine")
        (folder / "sessions-2026-11-23T12.jsonl.part").symlink_to(victim)
        written = self.write("r", 0)
        self.assertEqual(victim.read_bytes(), b"mine")
        self.assertIn("sessions-2026-11-23T12.jsonl.part", written.err)

    def test_a_folder_that_cannot_be(self):
        file = self.file("taken", b"")
        written = run("show", "-f", "records", "-o", file, file)
        self.assertEqual(written.code, 2)
        self.assertIn("there is a file of that name", written.err)

    def test_a_full_disk_is_told(self):
        # /dev/full is no folder; a limit on files is as good.
        import resource
        import subprocess
        from rows import PROGRAM
        capture = Capture()
        for number in range(1, 200):
            replayed_session(capture, number, number * 10)
        file = self.file("a.smtpcap", capture)

        def limit():
            import signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        done = subprocess.run([PROGRAM, "show", "-f", "records", "-o", self.folder / "r", file],
                              preexec_fn=limit, capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("File too large", done.stderr)
        for table in TABLES:  # whole lines, as far as they go
            rows_of(self.folder / "r", table, "*")


if __name__ == "__main__":
    unittest.main()
