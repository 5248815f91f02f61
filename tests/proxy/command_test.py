"""`smtpscope proxy` and `smtpscope demo` as a user runs them: options, signals, stalls."""

import json
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

    def test_everybody_is_let_in_only_when_that_is_said(self):
        for everybody in ("0.0.0.0/0", "::/0"):
            said = self.refuses("--listen", "0.0.0.0:0", "--upstream", "sink", "--allow", everybody)
            self.assertIn("--allow-everyone", said)
        for doubtful in ("010.0.0.0/8", "0x0a000000/8", "10.0/16", "0/0"):
            said = self.refuses("--listen", "0.0.0.0:0", "--upstream", "sink", "--allow", doubtful)
            self.assertIn("is meant, write that", said)
        with Proxy("sink", self.folder, "--listen", "0.0.0.0:0", "--allow-everyone") as proxy:
            self.assertRegex(self.client(proxy).say(b"NOOP\r\n"), rb"^250 ")

    def test_a_document_is_not_for_a_live_run(self):
        said = self.refuses("--listen", "127.0.0.1:0", "--upstream", "sink", "-f", "json")
        self.assertIn("-f jsonl", said)
        demo = run("demo", "-f", "json")
        self.assertEqual(demo.returncode, 2)
        self.assertIn("-f jsonl", demo.stderr)

    def test_secrets_and_records_go_to_no_fifo(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        proxy = ("--listen", "127.0.0.1:0", "--upstream", "sink")
        for force in ((), ("--force",)):
            self.assertIn("it is a FIFO", self.refuses(*proxy, "-w", str(fifo), *force))
            said = self.refuses(*proxy, "--tls", "intercept", "--keylog", str(fifo), *force)
            self.assertIn("cannot write the key log", said)
            self.assertIn("it is a FIFO", said)
        self.assertEqual(os.read(reader, 1), b"")

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
            proxy.errors.wait_for("for 1 open session to end")
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
    def start(self, command, stdout):
        """The proxy that the command starts, what it says on stderr, and a client, greeted."""
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE
        )
        self.addCleanup(process.kill)
        errors = Lines(process.stderr, "smtpscope proxy")
        self.addCleanup(errors.close)
        client = Client(int(errors.wait_for(r"listening on \S*:(\d+)\b")[1]))
        self.addCleanup(client.close)
        client.say()
        return process, errors, client

    def test_a_stalled_reader_of_the_timeline_delays_no_mail(self):
        command = [BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", "-v"]
        process, _errors, client = self.start(command, subprocess.PIPE)
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
        process, errors, client = self.start(command, subprocess.DEVNULL)
        for _ in range(2000):
            self.assertRegex(client.say(b"NOOP\r\n"), rb"^250 ")
        client.close()
        process.send_signal(signal.SIGTERM)
        said = "\n".join(errors.rest())
        self.assertEqual(process.wait(DEADLINE), 2, said)
        self.assertIn("the capture cannot be written: File too large", said)
        self.assertLessEqual(capture.stat().st_size, 1 << 16)
        self.assert_all_is_counted(capture, said)

    def assert_all_is_counted(self, capture, said):
        """What is in the capture, and what is said to be missing, is all that was relayed."""
        holes = re.search(r"the capture has holes: (\d+) events? not written, "
                          r"with (\d+) octets from the wire", said)
        relayed = re.search(r"(\d+) octets from clients, (\d+) octets from the server", said)
        whole = capture.read_bytes().split(b"\n")[1:-1]
        events = [json.loads(line) for line in whole]
        there = sum(len(e["data"]) for e in events if e["e"] == "bytes")
        self.assertGreater(int(holes[1]), 0)
        # On a slow machine the tracer may have missed some before they came near the disk.
        missed = re.search(r"tracing could not keep up: \d+ events? with (\d+) octets", said)
        lost = int(holes[2]) + (int(missed[1]) if missed else 0)
        self.assertEqual(there + lost, int(relayed[1]) + int(relayed[2]))
        return events, int(holes[1])

    def test_a_capture_goes_on_when_a_full_disk_has_room_again(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            self.skipTest("no permission to mount a small file system")
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(disk)], check=True)
        capture = disk / "full.smtpcap"
        command = [BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink", "-f", "none"]
        command += ["-w", str(capture), "--message", "full"]
        process, errors, client = self.start(command, subprocess.DEVNULL)
        for line in (b"EHLO client.example", b"MAIL FROM:<>", b"RCPT TO:<bob@example.net>", b"DATA"):
            reply = client.say(line + b"\r\n")
            while reply[3:4] == b"-":
                reply = client.say()
        # Until more than the 64 MiB that may wait for the disk is there. What the tracer does not take
        # in time is most of it where others use the processors.
        block = (b"x" * 998 + b"\r\n") * 1000
        lost = "the capture loses events: the disk was full"
        for _ in range(5000):
            client.socket.sendall(block)
            if errors.has(lost):
                break
        self.assertRegex(client.say(b".\r\n"), rb"^250 ")
        errors.wait_for("the capture cannot be written: No space left on device")
        errors.wait_for(lost)
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        # Nothing comes that could remind it.
        errors.wait_for("the capture is written again")
        self.assertRegex(client.say(b"NOOP\r\n"), rb"^250 ")
        errors.wait_for("the capture takes events again")
        self.assertRegex(client.say(b"QUIT\r\n"), rb"^221 ")
        client.close()
        process.send_signal(signal.SIGTERM)
        said = "\n".join(errors.rest())
        self.assertEqual(process.wait(DEADLINE), 2, said)
        events, holes = self.assert_all_is_counted(capture, "\n".join(errors.lines))
        told = [e for e in events if e["e"] == "gap" and "disk" in e.get("why", "")]
        self.assertEqual(sum(e.get("events", 0) for e in told), holes)
        self.assertEqual(events[-1]["e"], "end")
        self.assertIn("NOOP\r\n", [e.get("data") for e in events])

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


class ClosedStreams(CommandTest):
    def test_a_run_without_standard_streams(self):
        """What is opened must not take their places: libuv aborts when it is to close one."""
        for number, closed in enumerate(("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-")):
            with self.subTest(closed):
                capture = self.folder / f"{number}.smtpcap"
                command = ["bash", "-c", f'exec "$@" {closed}', "-", BINARY, "demo", "--pause", "0"]
                done = subprocess.run([*command, "-w", str(capture)], stdin=subprocess.DEVNULL,
                                      capture_output=True, timeout=DEADLINE, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                events = [json.loads(line) for line in capture.read_text().splitlines()]
                self.assertEqual(events[-1]["e"], "end")


class WhileItHangs(CommandTest):
    """What somebody sees who watches: standard error, on the same screen as the timeline."""

    def serve(self, upstream, *options):
        command = [BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", upstream, *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        errors = Lines(process.stderr, "smtpscope proxy")
        self.addCleanup(errors.close)
        port = int(errors.wait_for(r"listening on \S*:(\d+)\b")[1])
        return process, errors, port

    def test_a_server_that_does_not_greet(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            upstream = "127.0.0.1:%d" % server.getsockname()[1]
            process, errors, port = self.serve(upstream, "--tell-silence", "50ms,150ms")
            with socket.create_connection(("127.0.0.1", port), DEADLINE):
                errors.wait_for("session 1: server silent for 50 ms, owes the greeting")
                errors.wait_for("session 1: server silent for 150 ms, owes the greeting")
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGTERM)
                process.wait(DEADLINE)

    def test_a_server_that_does_not_answer_rcpt(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            upstream = "127.0.0.1:%d" % server.getsockname()[1]
            _, errors, port = self.serve(upstream, "--tell-silence", "50ms")
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
                peer, _ = server.accept()
                with peer:
                    peer.settimeout(DEADLINE)
                    client.settimeout(DEADLINE)
                    for command, reply in ((b"", b"220 mx"), (b"EHLO c\r\n", b"250 mx"),
                                           (b"MAIL FROM:<a@example.com>\r\n", b"250 ok")):
                        client.sendall(command)
                        if command:
                            peer.recv(1000)
                        peer.sendall(reply + b"\r\n")
                        client.recv(1000)
                    client.sendall(b"RCPT TO:<b@example.net>\r\n")
                    errors.wait_for("session 1: server silent for 50 ms, owes the reply to RCPT")

    def test_a_server_that_cannot_be_reached(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            closed = server.getsockname()[1]
        _, errors, port = self.serve(f"127.0.0.1:{closed}")
        with socket.create_connection(("127.0.0.1", port), DEADLINE):
            errors.wait_for("cannot reach the server, so the client was sent a 421: .*refused")

    def test_lengths_that_are_none(self):
        result = run("proxy", "--listen", "0", "--upstream", "sink", "--tell-silence", "soon")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--tell-silence: 'soon' is no time", result.stderr)


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

    def test_it_fits_a_screen_and_leads_with_the_suspicion(self):
        environment = dict(os.environ, TMPDIR=str(self.folder))
        result = run("demo", "--width", "100", env=environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = (result.stdout + result.stderr).splitlines()
        self.assertLessEqual(len(lines), 45, result.stdout + result.stderr)
        self.assertLessEqual(max(map(len, lines[:-1])), 100)
        told = result.stdout[result.stdout.index("what happened: "):]
        first = " ".join(told.split("\n  message")[0].split())
        self.assertIn("something between the application and this tracer may be speaking for the "
                      "client side: the envelope was announced again with 2 RSETs between", first)

    def test_a_capture_of_the_user_s_choice(self):
        path = self.folder / "demo.smtpcap"
        for force in ((), ("--force",)):
            result = run("demo", "--pause", "0", "-w", str(path), "-f", "none", *force)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(result.stdout, "")
        self.assertEqual(run("demo", "-w", str(path)).returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
