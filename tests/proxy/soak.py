"""Runs a proxy for minutes under mixed load, and in the end asks for every message at both ends.

    soak.py SMTPSCOPE MINUTES [RATE]

Sessions begin as fast as they can, or at most RATE of them a second.

Clients: one mail a session, many a session, large ones, slow ones, some that break off. Meanwhile the
capture rotates and is compressed, SIGHUP comes, the disk is full now and then, and the server
restarts; /metrics is asked for. What must hold: a message that the client was told 250 for is at the server; what the server
has taken the client was told, unless its connection broke; the record has what the server has
taken, as far as it does not say that something is missing; the metrics have counted the same; memory
does not grow.
"""

import asyncio
import collections
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SMTPSCOPE, MINUTES = sys.argv[1], float(sys.argv[2])
RATE = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
SEED = int(os.environ.get("SEED", "1"))
DISK = "400m"


class Server:
    """Takes mail, notes whose end it has accepted, and restarts."""

    def __init__(self):
        self.accepted = collections.Counter()
        self.port = 0
        self.restarts = 0
        self.writers = set()

    async def start(self):
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", self.port, limit=1 << 20)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def restart(self):
        self.listener.close()
        for writer in list(self.writers):
            writer.transport.abort()
        await asyncio.sleep(0.3)
        await self.start()
        self.restarts += 1

    async def serve(self, reader, writer):
        self.writers.add(writer)
        try:
            await self.talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def talk(self, reader, writer):
        async def say(text):
            writer.write(text.encode() + b"\r\n")
            await writer.drain()

        await say("220 soak ESMTP")
        name = ""
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if verb == "MAIL":
                name = re.search(r"<([^@>]*)", line)[1]
                await say("250 ok")
            elif verb == "DATA":
                await say("354 go")
                while (await reader.readuntil(b"\n")) != b".\r\n":
                    pass
                self.accepted[name] += 1
                await say("250 taken")
            elif verb == "QUIT":
                await say("221 bye")
                return
            else:
                await say("250 ok")


class Clients:
    def __init__(self, port):
        self.port = port
        self.told = collections.Counter()  # by what the client knows
        self.state = {}
        self.sequence = 0
        self.stopping = False
        self.next_start = 0.0

    async def turn(self):
        """Waits until a session may begin."""
        if RATE > 0:
            now = time.monotonic()
            at = self.next_start = max(self.next_start + 1 / RATE, now)
            await asyncio.sleep(at - now)

    async def command(self, reader, writer, text):
        writer.write(text.encode() + b"\r\n")
        await writer.drain()
        return await self.reply(reader)

    @staticmethod
    async def reply(reader):
        while True:
            line = await asyncio.wait_for(reader.readline(), 60)
            if not line:
                raise ConnectionResetError
            if line[3:4] != b"-":
                return int(line[:3])

    async def mail(self, reader, writer, body, pause=0.0):
        self.sequence += 1
        name = f"m{self.sequence}"
        self.state[name] = "unknown"
        for line in (f"MAIL FROM:<{name}@example.com>", "RCPT TO:<bob@example.net>", "DATA"):
            if await self.command(reader, writer, line) >= 400:
                self.state[name] = "refused"
                return
        for start in range(0, len(body), 4096 if pause == 0 else 64):
            writer.write(body[start : start + (4096 if pause == 0 else 64)])
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
        code = await self.command(reader, writer, ".")
        self.state[name] = "accepted" if code == 250 else "refused"

    async def session(self, kind):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            if await self.reply(reader) != 220:
                self.told["421"] += 1
                await asyncio.sleep(0.1)
                return
            await self.command(reader, writer, "EHLO soak.example")
            text = b"Subject: soak\r\n\r\n" + b"some text of a line\r\n" * 20
            if kind == "one":
                await self.mail(reader, writer, text)
            elif kind == "many":
                for _ in range(20):
                    await self.mail(reader, writer, text)
                    await self.command(reader, writer, "RSET")
            elif kind == "large":
                await self.mail(reader, writer, text + b"x" * 76 + b"\r\n" * 1 + (b"y" * 76 + b"\r\n") * 6000)
            elif kind == "slow":
                await self.mail(reader, writer, text, pause=0.2)
            elif kind == "gone":
                writer.write(b"MAIL FROM:<gone@example.com>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
                await writer.drain()
                await asyncio.sleep(random.random() / 10)
                writer.transport.abort()
                return
            await self.command(reader, writer, "QUIT")
        finally:
            writer.close()

    async def run(self, kind):
        while not self.stopping:
            await self.turn()
            try:
                await self.session(kind)
                self.told[kind] += 1
            except (ConnectionError, asyncio.TimeoutError, OSError):
                self.told["broken"] += 1
                await asyncio.sleep(0.05)
            await asyncio.sleep(random.random() / 20)


def resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def every(seconds, what, until):
    while time.monotonic() + seconds < until:
        await asyncio.sleep(seconds)
        result = what()
        if asyncio.iscoroutine(result):
            await result


async def soak(folder):
    server = Server()
    await server.start()
    said = open(folder / "said", "wb")
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    small = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        process = subprocess.Popen(
            [SMTPSCOPE, "proxy", "--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{server.port}",
             "-f", "none", "-w", str(disk / "run-%Y%m%dT%H%M%S.smtpcap"), "--rotate", "1M", "--compress",
             "zstd", "--message", "1K", "--max-sessions", "60", "--web", "0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        while not (found := re.search(r"listening on \S*:(\d+)", (folder / "said").read_text())):
            await asyncio.sleep(0.01)
        clients = Clients(int(found[1]))
        page = re.search(r"page: (http://[^/\s]+)", (folder / "said").read_text())[1]
        until = time.monotonic() + MINUTES * 60
        began = time.monotonic()
        memory = []  # octets, every second

        def scrape():
            """Sessions open, and transactions accepted."""
            with urllib.request.urlopen(f"{page}/metrics", timeout=60) as answer:
                text = answer.read().decode()
            found = re.search(r'^smtpscope_transactions_total\{outcome="accepted"\} (\S+)', text, re.M)
            return (int(float(re.search(r"(?m)^smtpscope_sessions_open (\S+)", text)[1])),
                    int(float(found[1])) if found else 0)

        def tell():
            states = dict(collections.Counter(clients.state.values()))
            print(f"after {(time.monotonic() - began) / 60:.0f} min: {memory[-1] >> 10} KiB of memory; "
                  f"messages {states}; metrics {scrape()}", flush=True)

        async def fill():
            # Until nothing more goes in, for three seconds.
            try:
                with open(disk / "ballast", "wb", buffering=0) as ballast:
                    while ballast.write(b"x" * 65536):
                        pass
            except OSError:
                pass
            await asyncio.sleep(3)
            (disk / "ballast").unlink(missing_ok=True)

        kinds = ["one"] * 6 + ["many"] * 4 + ["large"] * 2 + ["slow"] * 40 + ["gone"] * 2 + ["one"] * 8
        load = [asyncio.create_task(clients.run(kind)) for kind in kinds]
        chaos = [
            every(1, lambda: memory.append(resident(process.pid)), until),
            every(5, lambda: process.send_signal(signal.SIGHUP), until),
            every(13, lambda: process.send_signal(signal.SIGUSR1), until),
            every(15, scrape, until),
            every(min(300, MINUTES * 20), tell, until),
            every(17, server.restart, until),
        ]
        if small:
            chaos.append(every(29, fill, until))
        await asyncio.gather(*chaos)
        clients.stopping = True
        await asyncio.gather(*load)
        # The tracer may be behind; that it has all is seen by the sessions it still has open.
        patience = time.monotonic() + 60
        while (counted := scrape())[0] > 0 and time.monotonic() < patience:
            await asyncio.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        status = process.wait()
        said.close()
        return judge(folder, disk, server, clients, memory, counted[1], status, small)
    finally:
        if small:
            subprocess.run(["umount", "--lazy", str(disk)], check=False)


def judge(folder, disk, server, clients, memory, counted, status, small):
    said = (folder / "said").read_text()
    files = sorted(disk.glob("run-*"))
    recorded = collections.Counter()
    with open(folder / "complaints", "w+", encoding="utf-8") as complaints:
        shown = subprocess.Popen([SMTPSCOPE, "show", "-f", "jsonl", *map(str, files)], stdout=subprocess.PIPE,
                                 stderr=complaints, text=True)
        # One line at a time: it may be a gigabyte.
        for line in shown.stdout:
            record = json.loads(line)
            if record.get("event") == "transaction" and record.get("outcome") == "accepted":
                recorded[re.search(r"<?([^@>]*)", record["reverse_path"])[1]] += 1
        shown.wait()
        complained = complaints.seek(0) or complaints.read()
    by_state = collections.Counter(clients.state.values())
    faults = []
    lost = [m for m, state in clients.state.items() if state == "accepted" and m not in server.accepted]
    if lost:
        faults.append(f"{len(lost)} messages that clients were told 250 for are not at the server")
    silent = [m for m in server.accepted if m in clients.state and clients.state[m] == "refused"]
    if silent:
        faults.append(f"{len(silent)} messages are at the server that clients were refused")
    twice = [m for m, count in server.accepted.items() if count > 1]
    if twice:
        faults.append(f"{len(twice)} messages are at the server twice")
    invented = [m for m in recorded if m not in server.accepted]
    if invented:
        faults.append(f"the record has {len(invented)} messages accepted that the server has not")
    missing = [m for m, state in clients.state.items() if state == "accepted" and m not in recorded]
    holes = re.search(r"the capture has holes: (\d+)|tracing could not keep up: (\d+)", said)
    if missing and not holes:
        faults.append(f"{len(missing)} messages are not in the record, which says nothing of it")
    if shown.returncode != 0 or (complained and not holes):
        faults.append(f"show ended with {shown.returncode}: {complained[:500]}")
    if counted != sum(recorded.values()) and not holes:
        faults.append(f"the metrics counted {counted} messages accepted, the record has {sum(recorded.values())}")
    if status != (2 if holes else 0):
        faults.append(f"the proxy ended with {status}:\n{said[-2000:]}")
    third = max(1, len(memory) // 3)
    early, late = max(memory[:third]), max(memory[-third:])
    if late > early * 1.25 + (8 << 20):
        faults.append(f"memory grew from {early >> 20} to {late >> 20} MiB")
    print(f"{MINUTES:g} minutes: {dict(clients.told)}; messages {dict(by_state)}; server took "
          f"{len(server.accepted)}, restarted {server.restarts} times; record has {len(recorded)} of them, "
          f"{len(missing)} missing ({holes[0] if holes else 'no holes told'}), the metrics {counted}; {len(files)} files; "
          f"disk {'was full now and then' if small else 'could not be made small'}; memory "
          f"{memory[0] >> 10} KiB at the start, {memory[min(600, len(memory) - 1)] >> 10} after ten minutes, "
          f"{memory[-1] >> 10} in the end, at most {early >> 20} MiB in the first third, {late >> 20} MiB in the last")
    statuses = re.findall(r"status: .*", said)
    print(f"SIGUSR1: {len(statuses)} answers, the last: {statuses[-1] if statuses else '-'}")
    for fault in faults:
        print(f"soak: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    random.seed(SEED)
    with tempfile.TemporaryDirectory(prefix="smtpscope-soak-") as made:
        sys.exit(asyncio.run(soak(Path(made))))
