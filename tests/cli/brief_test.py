#!/usr/bin/env python3
"""show --brief, one line per session; and --time, which says when."""

import unittest

from program import Capture, ProgramTest, UTF8, quiet_session, replayed_session, run


def sessions():
    capture = Capture()
    quiet_session(capture, 1)
    replayed_session(capture, 2, 1000)
    capture.open(20_000, 3)
    capture.server(20_001, 3, "220 mx\r\n")
    capture.client(20_002, 3, "HELO host\r\n")
    capture.server(20_003, 3, "250 mx\r\n")
    capture.client(20_004, 3, "MAIL FROM:<>\r\n")
    capture.server(20_005, 3, "250 ok\r\n")
    for name in ("bob", "erin", "frank"):
        capture.client(20_006, 3, f"RCPT TO:<{name}@example.net>\r\n")
        capture.server(20_007, 3, f"550 5.1.1 no \x1b[31m{name} here\r\n")
    capture.client(20_008, 3, "QUIT\r\n")
    capture.server(20_009, 3, "221 bye\r\n")
    capture.end(20_010, 3)
    capture.open(30_000, 4)
    return capture


class Brief(ProgramTest):
    def test_one_line_per_session(self):
        done = run("show", "--brief", self.file("a.smtpcap", sessions()))
        self.assertEqual((done.code, done.err), (0, ""))
        self.assertEqual(done.out.splitlines(), [
            "s1    192.0.2.1:4000 no-mail 6 ms",
            "s2    192.0.2.2:4000 alice@example.com→bob@example.net partly 12.02 s",
            "s3    192.0.2.3:4000 <>→bob@example.net +2 refused 550 5.1.1 no \\x1B[31mbob here 10 ms",
            "s4    192.0.2.4:4000 open 0 us"])

    def test_the_same_by_its_name(self):
        file = self.file("a.smtpcap", sessions())
        self.assertEqual(run("show", "--brief", file).out, run("show", "-f", "brief", file).out)

    def test_only_some(self):
        file = self.file("a.smtpcap", sessions())
        done = run("show", "--brief", "--filter", "outcome:refused or outcome:open", file)
        self.assertEqual([line.split()[0] for line in done.out.splitlines()], ["s3", "s4"])

    def test_what_does_not_fit_is_the_servers_words(self):
        done = run("show", "--brief", "--width", "70", self.file("a.smtpcap", sessions()))
        line = done.out.splitlines()[2]
        self.assertLessEqual(len(line), 70)
        self.assertTrue(line.endswith("… 10 ms"), line)


class Time(ProgramTest):
    def lines(self, *options, zone="UTC"):
        done = run("show", "--session", "1", *options, self.file("a.smtpcap", sessions()), env={**UTF8, "TZ": zone})
        self.assertEqual(done.code, 0, done.err)
        return [line for line in done.out.splitlines() if "C  EHLO" in line or "C  QUIT" in line]

    def test_relative(self):
        self.assertEqual(self.lines(), self.lines("--time", "relative"))
        self.assertIn("+0.002", self.lines()[0])

    def test_wall(self):
        ehlo, leave = self.lines("--time", "wall")
        self.assertIn(" 12:00:00.002    1 ms  C  EHLO host1.example", ehlo)
        self.assertNotIn("+0.002", ehlo)
        self.assertIn(" 12:00:00.004    1 ms  C  QUIT", leave)

    def test_the_zone_is_the_readers(self):
        self.assertIn(" 13:00:00.002 ", self.lines("--time", "wall", zone="CET-1")[0])

    def test_both(self):
        self.assertIn(" 12:00:00.002   +0.002    1 ms  C  EHLO host1.example", self.lines("--time", "both")[0])

    def test_what_is_wrapped_still_fits(self):
        for shown in ("relative", "wall", "both"):
            done = run("show", "--time", shown, "--width", "80", self.file("a.smtpcap", sessions()))
            self.assertLessEqual(max(map(len, done.out.splitlines())), 80, shown)


if __name__ == "__main__":
    unittest.main()
