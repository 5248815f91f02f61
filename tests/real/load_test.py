"""Twenty sessions at once from Postfix's own load generator: every message is counted twice."""

import subprocess
import tempfile
import unittest
from pathlib import Path

import root
from follow import DEADLINE, answers, free_port
from postfix import PROGRAMS, Postfix
from smtpscope import Proxy, sessions

PARALLEL = 20


class Load(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.postfix = self.enterContext(Postfix())

    def source(self, port, messages, *options):
        """smtp-source: `messages` in all, PARALLEL sessions at a time."""
        command = [PROGRAMS / "smtp-source", "-s", PARALLEL, "-m", messages, "-l", 4000]
        command += ["-f", "alice@example.com", "-t", "bob@example.net", "-M", "client.example"]
        command += [*options, f"127.0.0.1:{port}"]
        run = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.postfix.environment(),
            timeout=DEADLINE,
        )
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def assert_counted(self, found, messages):
        outcomes = [outcome for session in found for outcome in session.outcomes()]
        self.assertEqual(outcomes, ["accepted"] * messages)
        for session in found:
            self.assertEqual(session.headlines("warning") + session.headlines("error"), [])

    def test_into_postfix(self):
        messages = 200
        with Proxy(f"127.0.0.1:{self.postfix.port}", self.folder) as proxy:
            self.source(proxy.port, messages)
            proxy.finish()
        self.assertEqual(len(self.postfix.mail("bob@example.net", messages)), messages)
        found = sessions(proxy.capture)
        self.assertEqual(len(found), messages)  # one message per session
        self.assert_counted(found, messages)

    def test_into_smtp_sink(self):
        messages = 4000
        received = self.folder / "received"
        received.mkdir()
        with Sink(received, self.postfix.environment()) as sink:
            with Proxy(f"127.0.0.1:{sink.port}", self.folder, "--format", "none") as proxy:
                self.source(proxy.port, messages, "-d")  # many messages per session
                proxy.finish()
        self.assertEqual(len(list(received.iterdir())), messages)
        found = sessions(proxy.capture)
        self.assertEqual(len(found), PARALLEL)
        self.assert_counted(found, messages)


class Sink:
    """Postfix's smtp-sink: takes mail, one file in `folder` for each message."""

    def __init__(self, folder, environment):
        self._folder = folder
        self._environment = environment

    def __enter__(self):
        for _ in range(10):
            self.port = free_port()
            command = ["smtp-sink", "-d", f"{self._folder}/m.", "-u", "root"]
            self._process = subprocess.Popen(
                [PROGRAMS / command[0], *command[1:], f"127.0.0.1:{self.port}", "100"],
                stdin=subprocess.DEVNULL,
                env=self._environment,
            )
            if answers(self.port, self._process):
                return self
        raise AssertionError("smtp-sink found no free port")

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(DEADLINE)


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
