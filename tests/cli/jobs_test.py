#!/usr/bin/env python3
"""smtpscope show --jobs: what several threads make of a capture is what one makes, octet by octet."""

import os
import random
import subprocess
import unittest

from packets import Connection, Packets
from program import PROGRAM, ROOT, UTF8, Capture, ProgramTest

TEXTS = ("text", "brief", "json", "jsonl", "html", "markdown", "transcript", "pcapng", "otlp")
FOLDERS = ("eml", "records")


def dialogue(random_, session):
    """What is said in a session: (by the client?, text). Some of it concerns other sessions."""
    same = random_.choice((session, 1, 2))  # messages that came before, and others
    yield False, random_.choice(("220 mx ESMTP\r\n", "220-mx\r\n220 ready\r\n"))
    yield True, f"EHLO {random_.choice(('client', 'other', f'host{session}'))}.example\r\n"
    yield False, random_.choice(("250 mx\r\n", "250-mx\r\n250-STARTTLS\r\n250 SIZE 1000000\r\n"))
    for _ in range(random_.randint(0, 2)):
        yield True, f"MAIL FROM:<a{same}@example.com>\r\n"
        yield False, "250 2.1.0 Ok\r\n"
        yield True, f"RCPT TO:<b{same}@example.net>\r\n"
        if random_.random() < 0.3:
            yield False, random_.choice(("450 4.7.1 greylisted, try again later\r\n",
                                         "550 5.1.1 User unknown\r\n", "452 4.2.2 Mailbox full\r\n"))
            yield True, "RSET\r\n"
            yield False, "250 ok\r\n"
            continue
        yield False, "250 2.1.5 Ok\r\n"
        yield True, "DATA\r\n"
        yield False, "354 go\r\n"
        lines = random_.choice((1, 20, 900))
        yield True, f"Message-ID: <{same}@example.com>\r\nSubject: number {same}\r\n\r\n" + lines * (
            "A line of a message that is as long as lines usually are.\r\n") + ".\r\n"
        yield False, f"250 2.0.0 queued as {session:X}\r\n"
    if random_.random() < 0.8:
        yield True, "QUIT\r\n"
        yield False, "221 bye\r\n"


def interleaved(random_, sessions, say, close):
    """Many sessions at once, in an order that is nobody's."""
    waiting = [(number, dialogue(random_, number)) for number in range(1, sessions + 1)]
    under_way = []
    while waiting or under_way:
        if waiting and (not under_way or random_.random() < 0.1):
            under_way.append(waiting.pop(0))
        number, rest = at = random_.choice(under_way)
        said = next(rest, None)
        if said:
            say(number, *said)
        else:
            under_way.remove(at)
            close(number)


def packets_of(random_, sessions):
    packets = Packets()
    connections = {}

    def connection(number):
        if number not in connections:
            connections[number] = Connection(packets, client_port=20000 + number)
        return connections[number]

    def say(number, by_client, text):
        for at in range(0, len(text), 1400):
            connection(number).send(0 if by_client else 1, Connection.ACK, text[at:at + 1400].encode())
        packets.ms += random_.choice((0, 1, 1500))

    def close(number):
        # Some are cut off, and some go on behind the end.
        ends = connection(number)
        for side in random_.choice(((0, 1), (1, 0), (0,), ())):
            ends.send(side, Connection.FIN | Connection.ACK)

    interleaved(random_, sessions, say, close)
    return packets.octets


def capture_of(random_, sessions):
    capture = Capture()
    opened = set()
    clock = [0]

    def now():
        clock[0] += random_.choice((1, 7, 1200))
        return clock[0]

    def say(number, by_client, text):
        if number not in opened:
            opened.add(number)
            capture.open(now(), number)
        (capture.client if by_client else capture.server)(now(), number, text)
        if random_.random() < 0.01:
            capture.event(now(), 0, "gap", events=1, why="lost")

    def close(number):
        capture.end(now(), number)

    interleaved(random_, sessions, say, close)
    return capture.octets()


class Jobs(ProgramTest):
    def shown(self, jobs, form, *arguments):
        """All that comes of it."""
        command = [PROGRAM, "show", "--jobs", str(jobs), "-f", form, *map(str, arguments)]
        folder = self.folder / f"out-{form}-{jobs}"
        if form in FOLDERS:
            command += ["-o", folder]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=UTF8, check=False)
        files = {}
        if form in FOLDERS:
            files = {str(path.relative_to(folder)): path.read_bytes()
                     for path in sorted(folder.rglob("*")) if path.is_file()}
            subprocess.run(["rm", "-rf", folder], check=True)
        return done.returncode, done.stderr, done.stdout, files

    def assert_same(self, form, *arguments, jobs=(2,)):
        one = self.shown(1, form, *arguments)
        self.assertTrue(one[2] or one[3] or one[1], "nothing came of it")
        for several_jobs in jobs:
            with self.subTest(form=form, jobs=several_jobs, arguments=[str(each) for each in arguments]):
                several = self.shown(several_jobs, form, *arguments)
                # Not assertEqual, which would print megabytes.
                self.assertTrue(several == one, "they differ")
        return one

    def captures(self):
        """Each longer than what is handed on between threads at a time."""
        random_ = random.Random(20261201)
        yield self.file("many.pcap", packets_of(random_, 120))
        yield self.file("many.smtpcap", capture_of(random_, 120))

    def test_sessions_at_once_in_every_format(self):
        for path in self.captures():
            for form in TEXTS + FOLDERS:
                one = self.assert_same(form, path, jobs=(2, 3, 4))
                if form == "jsonl":
                    # It is about sessions that concern each other.
                    for rule in (b"duplicate-message", b"parallel-sessions", b"greylist-tempfail"):
                        self.assertIn(rule, one[2])

    def test_what_is_asked_for(self):
        path = next(self.captures())
        for arguments in (["-v"], ["--interleave"], ["--only-annotated", "--severity", "warning"],
                          ["--session", "3,7,100000"], ["--filter", "outcome:refused"], ["--fail-on", "warning"]):
            for form in ("text", "json", "records"):
                self.assert_same(form, path, *arguments)

    def test_damaged_files(self):
        whole = next(self.captures()).read_bytes()
        lines = capture_of(random.Random(7), 60)
        for name, octets in (("cut.pcap", whole[:-5]), ("bad.pcap", whole[:300_000] + b"\xff" * 400 + whole[300_000:]),
                             ("cut.smtpcap", lines[:-7]), ("bad.smtpcap", lines[:9000] + b"nothing\n" + lines[9000:]),
                             ("none.pcap", Packets().octets)):
            for form in ("text", "json", "pcapng"):
                self.assert_same(form, self.file(name, octets))

    def test_every_transcript_of_the_timeline(self):
        """The hundreds of them hold every event that there is. One document of all is made file by file."""
        folder = self.folder / "transcripts"
        folder.mkdir()
        subprocess.run([os.environ["TRANSCRIPT_CAPTURES"], folder], check=True)
        files = sorted(folder.iterdir())
        for form in ("json", "html", "pcapng", "records"):
            self.assert_same(form, *files)
        # Formats that are put together of parts read one file by one thread, but for a single file.
        for path in files[::40]:
            for form in ("text", "jsonl", "otlp"):
                self.assert_same(form, path)

    def test_other_inputs(self):
        seeds = sorted((ROOT / "tests" / "fuzz" / "capture_seeds").iterdir())
        logs = sorted((ROOT / "tests" / "readers" / "logs").iterdir())
        for form in ("json", "transcript"):
            self.assert_same(form, *seeds, *logs)

    def test_an_output_that_nobody_reads_any_more(self):
        path = next(self.captures())
        for jobs in (1, 2):
            with subprocess.Popen([PROGRAM, "show", "--jobs", str(jobs), "-f", "jsonl", path], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=UTF8) as process:
                self.assertTrue(process.stdout.readline())
                process.stdout.close()
                self.assertEqual(process.stderr.read(), b"")
                self.assertEqual(process.wait(), 0)


if __name__ == "__main__":
    unittest.main()
