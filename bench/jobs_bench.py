#!/usr/bin/env python3
"""What a second processor gives: `smtpscope show` of one large capture with --jobs 1 and --jobs 2.

Makes a capture of packets (that of packets_bench.py) and one as the proxy records them (that of
sessions_bench.py) and prints, for each and each format, the least time of several rounds by the clock,
CPU time and memory, and how many times as fast two jobs are. Take many rounds where others use the
machine, too: the least one is the one that they left alone.

usage: jobs_bench.py [--rounds N] [--megabytes N] [--formats F,F...] SMTPSCOPE
"""

import argparse
import multiprocessing
import os
import subprocess
import tempfile
import time
from pathlib import Path

import packets_bench
import sessions_bench


def cost(command):
    """(seconds by the clock, CPU seconds, MB of memory) of one run."""
    before = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return time.monotonic() - before, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--megabytes", type=int, default=250)
    parser.add_argument("--formats", default="text,jsonl,json,brief,otlp")
    parser.add_argument("smtpscope")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packets, sessions = Path(folder) / "bench.pcap", Path(folder) / "bench.smtpcap"
        # Elsewhere: what this process holds counts as the memory of those that it starts.
        for make, arguments in ((packets_bench.make_capture, (packets, options.megabytes)),
                                (sessions_bench.capture, (sessions, options.megabytes * 350,
                                                          sessions_bench.DELIVERED))):
            maker = multiprocessing.Process(target=make, args=arguments)
            maker.start()
            maker.join()
        for path in (packets, sessions):
            for form in options.formats.split(","):
                least = {}
                for _ in range(options.rounds):
                    for jobs in (1, 2):
                        taken = cost([options.smtpscope, "show", "-f", form, "--jobs", str(jobs), str(path)])
                        least[jobs] = [min(pair) for pair in zip(least.get(jobs, taken), taken)]
                told = ", ".join("{}: {:.2f} s, {:.2f} s of CPU time, {:.0f} MB".format(jobs, *figures)
                                 for jobs, figures in least.items())
                print(f"{path.name} {path.stat().st_size / 1e6:.0f} MB, {form}: {told};"
                      f" {least[1][0] / least[2][0]:.2f} times as fast", flush=True)


if __name__ == "__main__":
    main()
