#!/usr/bin/env python3
"""proxy --records: the rows of a live run are those of its capture, the files of a run that was killed
are whole lines, and a disk that fails costs rows, never mail."""

import json
import os
import re
import resource
import signal
import smtplib
import subprocess
import threading
import time
import unittest

from rows import PROGRAM, TABLES, ProgramTest, rows_of, run

PATIENCE = 240  # seconds; nothing takes one


class Proxy:
    """The program in the middle, in front of its own sink."""

    def __init__(self, *more, limit=None):
        self.process = subprocess.Popen(
            [PROGRAM, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", "--format", "none", *map(str, more)],
            stderr=subprocess.PIPE, text=True, preexec_fn=limit)
        self.lines = []
        self.port = None
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        self.wait_for(r"listening on 127\.0\.0\.1:(\d+)")
        self.port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", "".join(self.lines))[1])

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()

    def wait_for(self, pattern):
        with self.changed:
            if not self.changed.wait_for(lambda: re.search(pattern, "".join(self.lines)), PATIENCE):
                raise AssertionError(f"nothing like {pattern}: {self.lines}")

    def send(self, sender="alice@example.com", rset=False):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE) as client:
            client.ehlo("client.example")
            client.mail(sender)
            client.rcpt("bob@example.net")
            if rset:
                client.rset()
            else:
                client.data("Subject: x\r\n\r\nhello\r\n")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        self.reader.join()
        self.process.stderr.close()
        return code


class Live(ProgramTest):
    def test_rows_are_those_of_the_capture(self):
        capture, folder = self.folder / "run.smtpcap", self.folder / "live"
        proxy = Proxy("-w", capture, "--records", folder, "--tap", "mx1", "--records-host", "h")
        proxy.wait_for("records: ")
        for number in range(5):
            proxy.send(f"a{number}@example.com", rset=number % 2 == 1)
        self.assertEqual(proxy.end(), 0)
        self.assertEqual([f.name for f in folder.iterdir() if not f.name.endswith(".jsonl")], [])
        run("show", "-f", "records", "-o", self.folder / "later", "--records-host", "h", capture)
        for table in TABLES:
            self.assertEqual(rows_of(folder, table), rows_of(self.folder / "later", table))
        sessions = rows_of(folder, "sessions")
        self.assertEqual([row["session"] for row in sessions], [1, 2, 3, 4, 5])
        self.assertEqual({(row["tap"], row["host"]) for row in sessions}, {("mx1", "h")})

    def test_a_killed_run_leaves_whole_lines_and_the_next_completes_them(self):
        folder = self.folder / "rows"
        proxy = Proxy("--records", folder)
        proxy.send()
        deadline = time.monotonic() + PATIENCE
        while not any(f.stat().st_size for f in folder.glob("sessions-*.part")):  # written while it runs
            self.assertLess(time.monotonic(), deadline)
        proxy.end(signal.SIGKILL)
        self.assertEqual(rows_of(folder, "sessions"), [])
        for file in folder.iterdir():
            for line in file.read_text().splitlines():
                json.loads(line)
        again = Proxy("--records", folder)
        self.assertEqual(len(rows_of(folder, "sessions")), 1)
        again.send()
        self.assertEqual(again.end(), 0)
        self.assertEqual(len(rows_of(folder, "sessions")), 2)
        self.assertEqual(len({row["run"] for row in rows_of(folder, "sessions")}), 2)
        self.assertEqual(list(folder.glob("*.part")), [])

    def test_two_taps_share_a_folder(self):
        folder = self.folder / "rows"
        taps = [Proxy("--records", folder, "--tap", name) for name in ("a", "b")]
        for tap in taps:
            tap.send()
        self.assertEqual([tap.end() for tap in taps], [0, 0])
        rows = rows_of(folder, "transactions")
        self.assertEqual({row["tap"] for row in rows}, {"a", "b"})
        self.assertEqual(len({row["digest"] for row in rows}), 1)

    def test_a_disk_that_takes_nothing_costs_rows_and_no_mail(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # less than a row
        proxy = Proxy("--records", self.folder / "rows", limit=limit)
        proxy.send()
        proxy.wait_for("cannot write records to .*: File too large; mail flows on")
        proxy.send()
        self.assertEqual(proxy.end(), 2)
        self.assertRegex("".join(proxy.lines), r"the records have holes: \d+ rows not written")
        self.assertIn("2 sessions", "".join(proxy.lines))
        for table in TABLES:
            self.assertEqual(rows_of(self.folder / "rows", table), [])

    def test_pseudonyms(self):
        folder, key = self.folder / "rows", self.folder / "key"
        proxy = Proxy("--records", folder, "--records-redact", key)
        proxy.send()
        self.assertEqual(proxy.end(), 0)
        text = "".join(file.read_text() for file in folder.iterdir())
        self.assertNotIn("example", text)
        self.assertNotIn("127.0.0.1", text)
        self.assertTrue(key.exists())

    def test_checking_makes_nothing(self):
        done = run("proxy", "--listen", "2525", "--upstream", "sink", "--records", self.folder / "rows",
                   "--records-redact", self.folder / "key", "--check")
        self.assertEqual(done.code, 0)
        self.assertRegex(done.out, r"records +/.*rows\n")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_folder_that_cannot_be(self):
        done = run("proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", "--records", "/proc/none")
        self.assertEqual(done.code, 2)
        self.assertIn("cannot make the folder /proc/none", done.err)


if __name__ == "__main__":
    unittest.main()
