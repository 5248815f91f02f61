#!/usr/bin/env python3
"""How long it takes to make annotated timelines of a capture of packets.

Runs `smtpscope show -f jsonl`, and beside it tcpflow and tshark where they are installed, and prints
the least CPU time of several rounds. Without a FILE it makes one: a third each of short sessions,
messages of 50 kB and messages of 10 MB, as they look on the loopback interface.

usage: packets_bench.py [--rounds N] [--megabytes N] SMTPSCOPE [FILE]
"""

import argparse
import multiprocessing
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "cli"))
from packets import Connection, Packets  # noqa: E402

LARGEST_SEGMENT = 65483  # of the loopback interface
LINE = b"A line of a message, as long as lines of messages usually are, or thereabout.\r\n"


class Chunks(Packets):
    """A capture that is written out as it grows."""

    def __init__(self, file):
        super().__init__()
        self.file = file
        self.written = 0

    def flush(self):
        self.file.write(self.octets)
        self.written += len(self.octets)
        self.octets = b""


def session(packets, port, message):
    connection = Connection(packets, client_port=port)
    for client, server in ((None, "220 mx ESMTP"), ("EHLO client.example", "250 mx"),
                           ("MAIL FROM:<a@bench.example>", "250 2.1.0 Ok"),
                           ("RCPT TO:<b@bench.example>", "250 2.1.5 Ok"),
                           ("DATA", "354 End data with <CR><LF>.<CR><LF>")):
        if client:
            connection.client(client + "\r\n")
        connection.server(server + "\r\n")
        connection.send(0, Connection.ACK)
    for at in range(0, len(message), LARGEST_SEGMENT):
        connection.send(0, Connection.ACK, message[at:at + LARGEST_SEGMENT])
        connection.send(1, Connection.ACK)
    connection.server("250 2.0.0 Ok\r\n")
    connection.client("QUIT\r\n")
    connection.server("221 2.0.0 Bye\r\n")
    connection.close()
    packets.flush()


def make_capture(path, megabytes):
    third = megabytes * 10**6 / 3
    sessions = 0
    with open(path, "wb") as file:
        packets = Chunks(file)
        for part, size in enumerate((1_000, 50_000, 10_000_000)):
            # No two messages are the same.
            while packets.written < third * (part + 1):
                head = b"Message-ID: <%d@bench.example>\r\n\r\n" % sessions
                body = head + LINE * (size // len(LINE)) + b".\r\n"
                session(packets, 10_000 + sessions % 50_000, body)
                sessions += 1
    print(f"{path}: {sessions} sessions, {packets.written / 1e6:.0f} MB", flush=True)


def cost(command):
    """(CPU seconds, MB of memory) of one run."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def is_native_pcap(path):
    with open(path, "rb") as file:
        head = file.read(24)
    return len(head) == 24 and struct.unpack("<I", head[:4])[0] in (0xA1B2C3D4, 0xA1B23C4D)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("smtpscope")
    parser.add_argument("file", nargs="?")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.file
        if path is None:
            path = str(Path(folder) / "bench.pcap")
            # Elsewhere: what this process holds counts as the memory of those that it starts.
            maker = multiprocessing.Process(target=make_capture, args=(path, options.megabytes))
            maker.start()
            maker.join()
            if maker.exitcode != 0:
                raise SystemExit("the capture could not be made")
        elif not is_native_pcap(path):
            raise SystemExit(f"{path} is no pcap file of this machine's byte order")
        flows = str(Path(folder) / "flows")
        commands = {"smtpscope": [options.smtpscope, "show", "-f", "jsonl", path]}
        if shutil.which("tcpflow"):
            commands["tcpflow"] = ["tcpflow", "-r", path, "-o", flows]
        if shutil.which("tshark"):
            commands["tshark"] = ["tshark", "-n", "-r", path, "-Y", "smtp", "-T", "fields", "-e",
                                  "smtp.req.command"]
        megabytes = os.path.getsize(path) / 1e6
        least = {}
        for _ in range(options.rounds):
            for name, command in commands.items():
                shutil.rmtree(flows, ignore_errors=True)
                if name == "tshark" and name in least:
                    continue  # it takes minutes
                least[name] = min(least.get(name, (1e9, 0)), cost(command))
        for name, (seconds, memory) in least.items():
            print(f"{name:<10} {seconds:7.2f} s of CPU time, {megabytes / seconds:6.0f} MB/s,"
                  f" {memory:5.0f} MB of memory, {seconds / least['smtpscope'][0]:6.1f}"
                  " times smtpscope's")


if __name__ == "__main__":
    main()
