#!/usr/bin/env python3
"""What a session costs from capture to annotated timeline, with nothing refused and with a refusal.

Makes two captures of sessions as the proxy records them, one message each: in one it is delivered, in
the other its recipient is refused. Prints the CPU time per session of `smtpscope show` on them, the
median of several rounds. A second program, of another state, is run in turn with the first.

usage: sessions_bench.py [--rounds N] [--sessions N] SMTPSCOPE [OTHER]
"""

import argparse
import json
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

HEADER = {"smtpcap": 1, "started": "2026-11-23T12:00:00.000000000Z", "writer": "smtpscope 0.0.0", "tap": "",
          "credentials": "masked", "message": "full"}
OFFERED = "250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n250 CHUNKING\r\n"
MESSAGE = ("From: alice@example.com\r\nTo: bob@example.org\r\nSubject: hello {n}\r\nMessage-ID: <{n}@example.com>\r\n\r\n" +
           20 * "The quick brown fox jumps over the lazy dog again.\r\n" + ".\r\n")
BEGIN = [("server", "220 mx.example.org ESMTP\r\n"), ("client", "EHLO client.example.com\r\n"), ("server", OFFERED),
         ("client", "MAIL FROM:<alice@example.com>\r\n"), ("server", "250 2.1.0 Ok\r\n"),
         ("client", "RCPT TO:<bob{n}@example.org>\r\n")]
DELIVERED = [("server", "250 2.1.5 Ok\r\n"), ("client", "DATA\r\n"), ("server", "354 End data with <CR><LF>.<CR><LF>\r\n"),
             ("client", MESSAGE), ("server", "250 2.0.0 Ok: queued as 4ABC{n}\r\n")]
REFUSED = [("server", "550 5.1.1 <bob{n}@example.org>: Recipient address rejected: User unknown in local recipient "
                      "table\r\n")]
END = [("client", "QUIT\r\n"), ("server", "221 2.0.0 Bye\r\n")]


def capture(path, sessions, middle):
    with path.open("w", encoding="ascii", newline="\n") as out:
        def event(ms, session, name, **fields):
            out.write(json.dumps({"t": ms * 10**6, "s": session, "e": name, **fields}) + "\n")

        out.write(json.dumps(HEADER) + "\n")
        for session in range(1, sessions + 1):
            ms = session * 40
            event(ms, session, "open", client=f"192.0.2.1:{1024 + session % 60000}", listener="127.0.0.1:2525",
                  upstream="192.0.2.25:25")
            event(ms, session, "connected", server="192.0.2.25:25", took=1000000)
            for side, text in BEGIN + middle + END:
                ms += 1
                event(ms, session, "bytes", **{"from": side}, data=text.replace("{n}", str(session)))
            event(ms + 1, session, "end")


def cpu_seconds(program, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "show", "-f", "jsonl", path], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--sessions", type=int, default=30000)
    options.add_argument("programs", nargs="+", metavar="SMTPSCOPE")
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="smtpscope-") as folder:
        for name, middle in (("delivered", DELIVERED), ("refused", REFUSED)):
            path = Path(folder) / f"{name}.smtpcap"
            capture(path, wanted.sessions, middle)
            taken = {program: [] for program in wanted.programs}
            for _ in range(wanted.rounds):
                for program, times in taken.items():
                    times.append(cpu_seconds(program, path))
            for program, times in taken.items():
                print(f"{name}: {statistics.median(times) / wanted.sessions * 1e6:.1f} us per session, {program}", flush=True)


if __name__ == "__main__":
    main()
