#!/usr/bin/env python3
"""How the program's cost grows with the size of what it reads.

Runs each command on N, 2N and 4N of each input of tests/cli/growth.py and prints the CPU time, and by
what factor it grew with the last doubling: 2 is linear, 4 the square.

usage: growth_bench.py [--input NAME,...] [--command NAME,...] [--times K] SMTPSCOPE
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("SMTPSCOPE", "")
os.environ.setdefault("SMTPSCOPE_ROOT", str(ROOT))
sys.path.insert(0, str(ROOT / "tests" / "cli"))
from growth import COMMANDS, INPUTS, Runner  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--input", default=",".join(INPUTS))
    parser.add_argument("--command", default=",".join(COMMANDS))
    parser.add_argument("--times", type=float, default=1, help="of the sizes in the list")
    parser.add_argument("smtpscope")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(options.smtpscope, folder)
        for name in options.input.split(","):
            sizes = [int(INPUTS[name][1] * options.times * factor) for factor in (1, 2, 4)]
            spent = {command: [] for command in options.command.split(",")}
            for size in sizes:
                runner.make(name, size)
                for command, seconds in spent.items():
                    seconds.append(runner.cpu_seconds(command))
            for command, seconds in spent.items():
                print(f"{name:<22} {command:<7} N = {sizes[0]:<7}"
                      f"{seconds[0]:8.3f} s {seconds[1]:8.3f} s {seconds[2]:8.3f} s"
                      f"   x {seconds[2] / max(seconds[1], 1e-3):.1f}", flush=True)


if __name__ == "__main__":
    main()
