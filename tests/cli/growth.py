"""Inputs that make the program work hard, of any size, and what it costs to read them.

Each input is more and more of one thing. What a walk inside of a walk costs shows as time that grows
with the square of the size.
"""

import os
import shutil
import struct
import subprocess
from pathlib import Path

from packets import START, Packets
from program import Capture


class Sessions(Capture):
    """Each event a millisecond after the one before."""

    def __init__(self):
        super().__init__()
        self.ms = 0

    def tick(self, ms=1):
        self.ms += ms
        return self.ms

    def begin(self, session=1, host=None):
        client = host or f"192.0.{session // 250 % 250}.{session % 250}"
        self.event(self.tick(), session, "open", client=f"{client}:{1024 + session % 60000}",
                   listener="127.0.0.1:2525", upstream="mx.example:25")
        self.event(self.ms, session, "connected", server="198.51.100.7:25", took=10**6)
        self.server(self.tick(), session, "220 mx ESMTP\r\n")

    def hello(self, session=1, verb="EHLO", keywords=("PIPELINING", "CHUNKING")):
        self.say(session, f"{verb} host.example",
                 "\r\n".join(["250-mx"] + [f"250-{k}" for k in keywords]) + "\r\n250 HELP")

    def say(self, session, command, reply, wait=1):
        self.client(self.tick(wait), session, command + "\r\n")
        if reply is not None:
            self.server(self.tick(), session, reply + "\r\n")

    def finish(self, session=1):
        self.end(self.tick(), session)


def one_session(n, body, **hello):
    capture = Sessions()
    capture.begin()
    capture.hello(**hello)
    body(capture, n)
    capture.finish()
    return capture.octets()


def exchanges(command, reply, wait=1):
    """Command and reply, n times; "%d" in them is their number."""
    def body(capture, n):
        for i in range(n):
            capture.say(1, command.replace("%d", str(i)), reply.replace("%d", str(i)), wait)
    return lambda n: one_session(n, body)


def messages(pause):
    def body(capture, n):
        for i in range(n):
            capture.say(1, f"MAIL FROM:<a{i}@x.example>", "250 ok", pause)
            capture.say(1, f"RCPT TO:<b{i}@y.example>", "250 ok")
            capture.say(1, "DATA", "354 go")
            capture.say(1, f"Message-ID: <{i}@x>\r\nSubject: x\r\n\r\nHello {i}.\r\n.", "250 ok")
    return lambda n: one_session(n, body)


def withdrawn(capture, n):
    """A mail that is announced, reset, and announced again: each folds what came before."""
    for i in range(n):
        for _ in range(2):
            capture.say(1, f"MAIL FROM:<a{i}@x.example>", "250 ok", 1500)
            capture.say(1, f"RCPT TO:<b{i}@y.example>", "250 ok")
            capture.say(1, "RSET", "250 ok")


def recipients(reply, verb="EHLO", finals=False):
    def body(capture, n):
        capture.say(1, "MAIL FROM:<a@x.example>", "250 ok")
        for i in range(n):
            capture.say(1, f"RCPT TO:<b{i}@y.example>", reply)
        capture.say(1, "DATA", "354 go")
        capture.say(1, "Subject: x\r\n\r\nHello.\r\n.",
                    "\r\n".join(f"250 {i} ok" for i in range(n if finals else 1)))
    return lambda n: one_session(n, body, verb=verb)


def pipelined(command, reply):
    def body(capture, n):
        for _ in range(n):
            capture.client(capture.tick(), 1, command + "\r\n")
        for _ in range(n):
            capture.server(capture.tick(), 1, reply + "\r\n")
    return lambda n: one_session(n, body)


def chunks(capture, n):
    capture.say(1, "MAIL FROM:<a@x.example>", "250 ok")
    capture.say(1, "RCPT TO:<b@y.example>", "250 ok")
    for _ in range(n):
        capture.say(1, "BDAT 7\r\nHello.", "250 ok")
    capture.say(1, "BDAT 7 LAST\r\nHello.", "250 ok")


def mail_data(line, reads=False):
    def body(capture, n):
        capture.say(1, "MAIL FROM:<a@x.example>", "250 ok")
        capture.say(1, "RCPT TO:<b@y.example>", "250 ok")
        capture.say(1, "DATA", "354 go")
        lines = [line.replace("%d", str(i)) for i in range(n)]
        if reads:
            for each in lines:
                capture.client(capture.tick(), 1, each + "\r\n")
        else:
            for i in range(0, n, 500):
                capture.client(capture.tick(), 1, "\r\n".join(lines[i:i + 500]) + "\r\n")
        capture.say(1, ".", "250 ok")
    return lambda n: one_session(n, body)


def octet_by_octet(capture, n):
    for _ in range(n):
        capture.client(capture.tick(), 1, "x")
    capture.say(1, "", "500 what")


def reply_lines(capture, n):
    capture.say(1, "HELP", "\r\n".join(f"214-{i}" for i in range(n)) + "\r\n214 end")


def unasked(capture, n):
    for i in range(n):
        capture.server(capture.tick(), 1, f"250 {i}\r\n")


def keywords(n):
    return one_session(n, lambda *_: None, keywords=[f"X{i}" for i in range(n)])


def gaps(capture, n):
    for _ in range(n):
        capture.say(1, "NOOP", "250 ok")
        capture.event(capture.tick(), 1, "gap", **{"from": "client"}, octets=5, why="lost")


def sessions(recipient, hosts=True):
    def make(n):
        capture = Sessions()
        for i in range(1, n + 1):
            capture.begin(i, None if hosts else "192.0.2.1")
            capture.hello(i)
            capture.say(i, "MAIL FROM:<a@x.example>", "250 ok")
            capture.say(i, f"RCPT TO:<{recipient.replace('%d', str(i))}>", "550 no")
            capture.say(i, "QUIT", "221 bye")
            capture.finish(i)
        return capture.octets()
    return make


def crossed_envelopes(n):
    """Sessions with one envelope in common, and one of their own that differs between the runs."""
    capture = Sessions()
    for i in range(1, n + 1):
        capture.begin(i)
        capture.hello(i)
        for recipient in ("same@x.example", f"b{i}@y.example"):
            capture.say(i, "MAIL FROM:<a@x.example>", "250 ok")
            capture.say(i, f"RCPT TO:<{recipient}>", "250 ok")
            capture.say(i, "RSET", "250 ok")
        capture.finish(i)
    return capture.octets()


def open_at_once(n):
    """All begin, then each says something, then all end."""
    capture = Sessions()
    for i in range(1, n + 1):
        capture.begin(i)
    for i in range(1, n + 1):
        capture.hello(i)
    for i in range(1, n + 1):
        capture.say(i, "FOO", "500 what")
    for i in range(1, n + 1):
        capture.finish(i)
    return capture.octets()


def damaged(n):
    """Sessions that stay open, and as many lines that are damaged."""
    capture = Sessions()
    for i in range(1, n + 1):
        capture.begin(i)
    capture.lines.extend(["?"] * n)
    return capture.octets()


class Frames(Packets):
    """As Packets, gathered in a list: adding to a long string takes long."""

    def __init__(self):
        super().__init__()
        self.parts = [self.octets]

    def segment(self, *arguments):
        self.octets = b""
        super().segment(*arguments)
        self.parts.append(self.octets)

    def all(self):
        return b"".join(self.parts)


def undecided_flows(n):
    """Connections that say nothing, and beside them sessions whose servers are each a new one."""
    frames = Frames()
    quiet = min(n, 20_000)
    for i in range(quiet):
        frames.segment(((10, 0, i >> 8, i & 255), 4000), ((198, 51, 100, 7), 7000), 1, 0, 2)
    for i in range(n):
        client, server = ((192, 0, 2, 1), 1024 + i % 60000), ((10, 9, i >> 8, i & 255), 8025)
        frames.segment(client, server, 1, 0, 2)
        frames.segment(server, client, 1, 2, 18)
        frames.segment(server, client, 2, 2, 16, b"220 mx ESMTP\r\n")
        frames.segment(client, server, 2, 16, 4)
    return frames.all()


def segments_out_of_order(n):
    """One connection, its segments from the last to the first."""
    frames = Frames()
    client, server = ((192, 0, 2, 1), 4000), ((198, 51, 100, 7), 25)
    frames.segment(client, server, 1, 0, 2)
    frames.segment(server, client, 1, 2, 18)
    frames.segment(client, server, 2, 2, 16, b"NOOP\r\n")
    for i in reversed(range(n)):
        frames.segment(client, server, 9 + 7 * i, 2, 16, b"NOOP \r\n")
    return frames.all()


def fragments(n):
    """Pieces of IP packets that never become whole."""
    frames = Frames()
    for i in range(n):
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, i & 0xFFFF, 0x2000, 64, 6, 0,
                         bytes((10, 1, i >> 16 & 255, 1)), bytes((10, 2, 2, 2))) + bytes(8)
        frame = bytes(12) + b"\x08\x00" + ip
        frames.parts.append(struct.pack("<IIII", START, i % 1000, len(frame), len(frame)) + frame)
    return frames.all()


def postfix_log(interleaved):
    """smtpd -v, of n processes, one after the other or 200 at a time."""
    def lines(pid):
        head = f"Nov 23 12:00:00 mx postfix/smtpd[{pid}]: "
        who = "client.example[192.0.2.1]"
        return [head + line for line in (
            f"connect from {who}", f"> {who}: 220 mx ESMTP", f"< {who}: EHLO a",
            f"> {who}: 250 mx", f"< {who}: QUIT", f"> {who}: 221 bye", f"disconnect from {who}")]

    def make(n):
        of_each = [lines(100 + i) for i in range(n)]
        at_once = 200 if interleaved else 1
        rows = (row for i in range(0, n, at_once) for row in zip(*of_each[i:i + at_once]))
        return "\n".join(line for row in rows for line in row).encode() + b"\n"
    return make


# By name: how it is made, and a size that takes a tenth of a second or so.
INPUTS = {
    "noop": (exchanges("NOOP", "250 ok"), 5000),
    "unknown": (exchanges("FOO%d", "500 what"), 5000),
    "rset": (exchanges("RSET", "250 ok", 1200), 5000),
    "ehlo": (exchanges("EHLO a%d", "250 mx"), 5000),
    "auth": (exchanges("AUTH PLAIN AGEAYg==", "535 no"), 5000),
    "refused-senders": (exchanges("MAIL FROM:<a%d@x.example>", "550 no %d"), 5000),
    "slow": (exchanges("NOOP", "250 ok", 5000), 5000),
    "messages": (messages(1), 2000),
    "slow-messages": (messages(10_000), 2000),
    "withdrawn": (lambda n: one_session(n, withdrawn), 1000),
    "recipients": (recipients("250 ok"), 5000),
    "refused-recipients": (recipients("550 no"), 5000),
    "lmtp-recipients": (recipients("250 ok", "LHLO", True), 5000),
    "pipelined": (pipelined("NOOP", "250 ok"), 5000),
    "pipelined-mail": (pipelined("MAIL FROM:<a@x.example>\r\nRSET", "250 ok\r\n250 ok"), 2000),
    "never-answered": (pipelined("NOOP", ""), 5000),
    "chunks": (lambda n: one_session(n, chunks), 5000),
    "header": (mail_data("X-%d: y"), 20_000),
    "boundaries": (mail_data("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--c%d"), 5000),
    "lines": (mail_data("A line that is a line."), 20_000),
    "reads": (mail_data("A line that is a line.", reads=True), 5000),
    "octets": (lambda n: one_session(n, octet_by_octet), 5000),
    "reply-lines": (lambda n: one_session(n, reply_lines), 20_000),
    "unasked": (lambda n: one_session(n, unasked), 5000),
    "keywords": (keywords, 5000),
    "gaps": (lambda n: one_session(n, gaps), 3000),
    "sessions": (sessions("b%d@y.example"), 1000),
    "equal-sessions": (sessions("b@y.example"), 1000),
    "sessions-of-one-host": (sessions("b%d@y.example", hosts=False), 1000),
    "crossed-envelopes": (crossed_envelopes, 1000),
    "open-at-once": (open_at_once, 1000),
    "damaged": (damaged, 1000),
    "undecided-flows": (undecided_flows, 3000),
    "out-of-order": (segments_out_of_order, 10_000),
    "fragments": (fragments, 10_000),
    "log": (postfix_log(False), 2000),
    "interleaved-log": (postfix_log(True), 2000),
}

# By name: the program's arguments, with "IN" for the input and "OUT" for a file to write.
COMMANDS = {
    "text": ("show", "-v", "IN"),
    "json": ("show", "-f", "json", "IN"),
    "pcapng": ("show", "-f", "pcapng", "-o", "OUT", "IN"),
    "eml": ("show", "-f", "eml", "-o", "OUT", "IN"),
    "diff": ("diff", "IN", "OTHER"),
    "taps": ("diff", "--taps", "IN", "OTHER"),
    "redact": ("redact", "IN", "-o", "OUT"),
}


def other(octets):
    """An input in which nearly everything is said in another way, to compare with."""
    for before, after in ((b" ok", b" ko"), (b"550 no", b"551 on"), (b"500 what", b"502 what"),
                          (b"y.example", b"z.example"), (b"FOO", b"BAR"), (b"--c", b"--d")):
        octets = octets.replace(before, after)
    return octets


class Runner:
    """Inputs in a folder, and what it costs the program to read them."""

    def __init__(self, program, folder):
        self.program, self.folder = program, Path(folder)

    def make(self, name, size):
        octets = INPUTS[name][0](size)
        (self.folder / "IN").write_bytes(octets)
        (self.folder / "OTHER").write_bytes(other(octets))

    def cpu_seconds(self, command):
        """What one run takes of the processor."""
        out = self.folder / "OUT"
        shutil.rmtree(out, ignore_errors=True)
        out.unlink(missing_ok=True)
        arguments = [str(self.folder / a) if a in ("IN", "OTHER", "OUT") else a
                     for a in COMMANDS[command]]
        with subprocess.Popen([self.program, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode < 0:
            raise SystemExit(f"{command} died of signal {-process.returncode}")
        return used.ru_utime + used.ru_stime
