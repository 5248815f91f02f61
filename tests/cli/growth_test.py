#!/usr/bin/env python3
"""Nothing that the program does takes the square of what it reads.

Where a walk inside of a walk was found once, and where one would do most harm, four times as much
input may take four times as long. It may take eight times here: a square would take sixteen, and
other programs run beside this one.
"""

import tempfile
import unittest

from growth import Runner
from program import PROGRAM

FACTOR = 4
MOST = 2 * FACTOR
ROUNDS = 5

# Input, command, and a size at which a square would outweigh what it takes to start.
CASES = (
    ("undecided-flows", "text", 5000),   # for each server found, a walk over the undecided flows
    ("unknown", "taps", 8000),           # for each name of a change, over the names so far
    ("ehlo", "pcapng", 3000),            # for each finding, over the packets that wait
    ("open-at-once", "pcapng", 2000),    # for each end of a session, likewise
    ("damaged", "text", 500),            # for each damaged line, over the sessions that are open
    ("damaged", "redact", 2000),
    ("lmtp-recipients", "diff", 4000),   # for each reply, over the differences of its exchange
    ("withdrawn", "json", 1000),
    ("messages", "json", 1000),
    ("sessions", "taps", 500),
    ("pipelined", "text", 5000),
    ("header", "text", 20_000),
    ("reply-lines", "text", 20_000),
    ("gaps", "text", 2000),
    ("out-of-order", "text", 5000),
    ("interleaved-log", "text", 1000),
)


class GrowthTest(unittest.TestCase):
    def test_four_times_the_input_takes_no_more_than_eight_times_as_long(self):
        for name, command, size in CASES:
            with self.subTest(input=name, command=command), \
                    tempfile.TemporaryDirectory() as folder:
                self.check(Runner(PROGRAM, folder), name, command, size)

    def check(self, runner, name, command, size):
        least = {}
        for _ in range(ROUNDS):
            for each in (size, FACTOR * size):
                runner.make(name, each)
                least[each] = min(least.get(each, 1e9), runner.cpu_seconds(command))
            if least[FACTOR * size] < MOST * least[size]:
                return
        self.fail(f"{size}: {least[size]:.3f} s, {FACTOR * size}: {least[FACTOR * size]:.3f} s")


if __name__ == "__main__":
    unittest.main()
