"""tcpdump beside a test, and smtpscope reading its file while it grows."""

import json
import signal
import subprocess

from follow import DEADLINE, Lines
from smtpscope import BINARY


class Tcpdump:
    """Captures what goes over the loopback interface from and to `port` into `path`."""

    def __init__(self, port, path):
        self.path = path
        # -U and --immediate-mode: each packet is in the file at once. Then the kernel keeps room for
        # the longest packet in each place of its buffer: -s and -B make that many places. -Z: the
        # file stays ours.
        self._command = ["tcpdump", "-i", "lo", "-n", "-s", "70000", "-B", "131072", "-U",
                         "--immediate-mode", "-Z", "root", "-w", str(path), f"tcp port {port}"]
        self._processes = []

    def _start(self, command, **streams):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **streams)
        self._processes.append(process)
        return process

    def __enter__(self):
        tcpdump = self._start(self._command, stderr=subprocess.PIPE)
        self._said = Lines(tcpdump.stderr, "tcpdump")
        self._shown = None
        try:
            self._said.wait_for("listening on lo")
            follower = self._start([BINARY, "show", "--follow", "-f", "jsonl", str(self.path)],
                                   stdout=subprocess.PIPE)
            self._shown = Lines(follower.stdout, "smtpscope show --follow")
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_for_sessions(self, count):
        """Waits until so many sessions have been shown live, from their beginning to their end."""
        self._shown.wait_for('"event":"session-ended"', count)

    def wait_for_close(self):
        """Waits until a side was seen to close: a connection that is reset then may never end."""
        self._shown.wait_for('"event":"closed"', 1)

    def live_entries(self):
        """What was shown up to now: (session, kind, octets) of each entry."""
        records = [json.loads(line) for line in self._shown.lines]
        return [(r["session"], r["kind"], r["end"] - r["begin"]) for r in records
                if r["event"] == "entry"]

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(DEADLINE)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait(DEADLINE)
        for lines in (self._said, self._shown):
            if lines is not None:
                lines.close()
