"""`smtpscope proxy` and `smtpscope demo` as a user runs them: options, signals, stalls."""

import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))

from follow import DEADLINE, Lines  # noqa: E402
from smtpscope import BINARY, Proxy  # noqa: E402


def run(*arguments, **options):
    return subprocess.run(
        [BINARY, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        **options,
    )


class Client:
    """A connection that is talked to in lines."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.replies = self.socket.makefile("rb")

    def say(self, octets=b""):
        """Sends and gives the one-line reply."""
        self.socket.sendall(octets)
        return self.replies.readline()

    def close(self):
        self.replies.close()
        self.socket.close()


class CommandTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def client(self, proxy):
        client = Client(proxy.port)
        self.addCleanup(client.close)
        self.assertRegex(client.say(), rb"^220 ")
        return client


class Options(CommandTest):
    def refuses(self, *arguments):
        """Runs and gives what was said; it must end at once with 2."""
        result = run("proxy", *arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertTrue(result.stderr.startswith("smtpscope: "), result.stderr)
        return result.stderr

    def test_what_cannot_be_done_is_said(self):
        listen = ("--listen", "127.0.0.1:0")
        sink = ("--upstream", "sink")
        self.assertIn("--listen", self.refuses(*sink))
        self.assertIn("--upstream", self.refuses(*listen))
        self.assertIn("'localhost'", self.refuses("--listen", "localhost", *sink))
        self.assertIn("'mx:'", self.refuses(*listen, "--upstream", "mx:"))
        self.assertIn("'10.0.0.1/8'", self.refuses(*listen, *sink, "--allow", "10.0.0.1/8"))
        self.assertIn("'soon'", self.refuses(*listen, *sink, "--grace", "soon"))
        self.assertIn("'0'", self.refuses(*listen, *sink, "--connect-timeout", "0"))
        self.assertIn("'64X'", self.refuses(*listen, *sink, "--message", "64X"))

    def test_an_open_relay_is_not_made_by_accident(self):
        said = self.refuses("--listen", "0.0.0.0:0", "--upstream", "sink")
        self.assertIn("--allow", said)
        self.assertIn("mynetworks", said)

    def test_a_capture_is_not_overwritten(self):
        path = self.folder / "old.smtpcap"
        path.write_text("precious")
        said = self.refuses("--listen", "127.0.0.1:0", "--upstream", "sink", "-w", str(path))
        self.assertIn("--force", said)
        self.assertEqual(path.read_text(), "precious")

    def test_several_listeners(self):
        options = ("--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0")
        with Proxy("sink", self.folder, *options) as proxy:
            ports = {proxy.port}
            for count in (2, 3):
                ports.add(int(proxy.errors.wait_for(r"listening on \S*:(\d+)\b", count)[1]))
            self.assertEqual(len(ports), 3)
            for port in ports:
                client = Client(port)
                self.assertRegex(client.say(), rb"^220 ")
                client.close()


class Signals(CommandTest):
    def test_sessions_may_end_and_nobody_new_comes_in(self):
        with Proxy("sink", self.folder, "--grace", "60s") as proxy:
            client = self.client(proxy)
            proxy._process.send_signal(signal.SIGTERM)
            proxy.errors.wait_for("1 open session may end")
            with self.assertRaises(ConnectionRefusedError):
                Client(proxy.port)
            self.assertRegex(client.say(b"NOOP\r\n"), rb"^250 ")
            self.assertRegex(client.say(b"QUIT\r\n"), rb"^221 ")
            self.assertEqual(client.say(), b"")
            client.close()
            self.assertEqual(proxy._process.wait(DEADLINE), 0)
            self.assertIn("smtpscope: 1 session, 12 octets from clients", "\n".join(proxy.errors.rest()))
        self.assertIn('"e":"end"', proxy.capture.read_text())

    def test_the_grace_period_ends(self):
        with Proxy("sink", self.folder, "--grace", "50ms") as proxy:
            client = self.client(proxy)
            live = proxy.finish()
            self.assertEqual(client.say(), b"")
        self.assertIn("smtpscope was stopped", live)
        self.assertIn("smtpscope was stopped", proxy.capture.read_text())

    def test_a_second_signal_ends_at_once(self):
        with Proxy("sink", self.folder, "--grace", "60m") as proxy:
            client = self.client(proxy)
            proxy._process.send_signal(signal.SIGINT)
            proxy.errors.wait_for("a second signal")
            proxy._process.send_signal(signal.SIGINT)
            self.assertEqual(proxy._process.wait(DEADLINE), 0)
            self.assertEqual(client.say(), b"")


class Stalls(CommandTest):
    def test_a_stalled_reader_of_the_timeline_delays_no_mail(self):
        command = [BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", "-v"]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.addCleanup(process.kill)
        errors = Lines(process.stderr, "smtpscope proxy")
        self.addCleanup(errors.close)
        client = Client(int(errors.wait_for(r"listening on \S*:(\d+)\b")[1]))
        self.addCleanup(client.close)
        client.say()
        # Each line gives lines of timeline; the pipe nobody reads from holds 64 KiB of them.
        for _ in range(50):
            client.socket.sendall(b"NOOP\r\n" * 100)
            for _ in range(100):
                self.assertRegex(client.say(), rb"^250 ")
        client.close()
        process.send_signal(signal.SIGTERM)
        shown = process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(DEADLINE), 0)
        self.assertEqual(len(re.findall(rb" NOOP\b", shown)), 5000)
        self.assertGreater(len(shown), 1 << 17)

    def test_a_full_disk_delays_no_mail(self):
        """The file may not grow beyond 64 KiB: a write then fails as on a full disk (EFBIG)."""
        capture = self.folder / "small.smtpcap"
        command = [BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink"]
        command += ["-w", str(capture), "-f", "none"]
        command = ["bash", "-c", 'ulimit -f 64; trap "" XFSZ; exec "$@"', "-", *command]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self.addCleanup(process.kill)
        errors = Lines(process.stderr, "smtpscope proxy")
        self.addCleanup(errors.close)
        client = Client(int(errors.wait_for(r"listening on \S*:(\d+)\b")[1]))
        self.addCleanup(client.close)
        client.say()
        for _ in range(2000):
            self.assertRegex(client.say(b"NOOP\r\n"), rb"^250 ")
        client.close()
        process.send_signal(signal.SIGTERM)
        said = "\n".join(errors.rest())
        self.assertEqual(process.wait(DEADLINE), 2, said)
        self.assertIn("the capture has holes", said)
        self.assertLessEqual(capture.stat().st_size, 1 << 16)

    def test_its_own_suspension_is_recorded(self):
        with Proxy("sink", self.folder) as proxy:
            client = self.client(proxy)
            proxy._process.send_signal(signal.SIGSTOP)
            client.socket.sendall(b"NOOP\r\n")
            # Stopped for longer than a late heartbeat is forgiven: 1 s and 0.5 s.
            self.assertEqual(select.select([client.socket], [], [], 1.8)[0], [])
            proxy._process.send_signal(signal.SIGCONT)
            self.assertRegex(client.say(), rb"^250 ")
            client.close()
            proxy.finish()
        self.assertIn('"e":"stalled"', proxy.capture.read_text())


class Demo(CommandTest):
    def test_it_tells_the_story_and_where_the_capture_lies(self):
        environment = dict(os.environ, TMPDIR=str(self.folder))
        result = run("demo", "--pause", "50ms", env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("txn-replayed-after-rset", result.stdout)
        path = re.search(r"smtpscope show (\S+)", result.stderr)[1]
        self.assertTrue(path.startswith(str(self.folder)), path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        again = run("show", path)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("txn-replayed-after-rset", again.stdout)

    def test_a_capture_of_the_user_s_choice(self):
        path = self.folder / "demo.smtpcap"
        for force in ((), ("--force",)):
            result = run("demo", "--pause", "0", "-w", str(path), "-f", "none", *force)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stdout, "")
        self.assertEqual(run("demo", "-w", str(path)).returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
