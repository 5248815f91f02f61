"""What tests of --follow have in common."""

import os
import select
import subprocess
import time

from program import DEADLINE, PROGRAM, UTF8, ProgramTest


class Following(ProgramTest):
    def start(self, *arguments, stdin=subprocess.DEVNULL):
        process = subprocess.Popen([PROGRAM, "show", "--follow", *map(str, arguments)], env=UTF8,
                                   stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def read_until(self, process, words):
        """What the program writes up to and including `words`."""
        return self.read_from(process.stdout, words)

    def read_until_error(self, process, words):
        return self.read_from(process.stderr, words)

    def read_from(self, stream, words):
        end = time.monotonic() + DEADLINE
        text = b""
        while words.encode() not in text:
            ready, _, _ = select.select([stream], [], [], end - time.monotonic())
            self.assertTrue(ready, f"no {words!r} in {text.decode()!r}")
            piece = os.read(stream.fileno(), 65536)
            self.assertTrue(piece, f"ended before {words!r}: {text.decode()!r}")
            text += piece
        return text.decode()
