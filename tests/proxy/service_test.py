"""The proxy as a service: limits, status, what systemd is told and gives."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))

from follow import DEADLINE, Lines  # noqa: E402
from smtpscope import BINARY, Proxy, show  # noqa: E402


class Client:
    """A connection that is talked to in lines."""

    def __init__(self, port, source="127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE, (source, 0))
        self.replies = self.socket.makefile("rb")
        self.greeting = self.replies.readline()

    def say(self, text):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.replies.readline()

    def close(self):
        self.replies.close()
        self.socket.close()


class ServiceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def client(self, proxy, source="127.0.0.1"):
        client = Client(proxy.port, source)
        self.addCleanup(client.close)
        return client

    def start(self, *options, env=None, **rest):
        """The program without the usual options; gives it and what it says."""
        process = subprocess.Popen([BINARY, "proxy", "--upstream", "sink", "-f", "none", *options],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, **rest)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        errors = Lines(process.stderr, "smtpscope proxy")
        self.addCleanup(errors.close)
        return process, errors


class Limits(ServiceTest):
    def test_more_sessions_than_allowed(self):
        with Proxy("sink", self.folder, "--max-sessions", "2", "--grace", "10ms") as proxy:
            first, second = self.client(proxy), self.client(proxy)
            self.assertRegex(first.greeting, rb"^220 ")
            self.assertRegex(second.greeting, rb"^220 ")
            third = self.client(proxy)
            self.assertRegex(third.greeting, rb"^421 4\.3\.2 smtpscope: too many sessions")
            self.assertEqual(third.replies.readline(), b"")
            proxy.errors.wait_for("refused .*--max-sessions allows no more")
            # Those inside are served, and who leaves makes room.
            self.assertRegex(first.say("NOOP"), rb"^250 ")
            self.assertRegex(first.say("QUIT"), rb"^221 ")
            first.close()
            third.close()
            while not self.client(proxy).greeting.startswith(b"220 "):
                pass
            proxy.finish()
        shown = show(proxy.capture)
        self.assertIn("P  421 4.3.2 smtpscope: too many sessions", shown)
        self.assertIn("what happened: no message: smtpscope itself turned the client away: 2 sessions open, and "
                      "--max-sessions allows no more", " ".join(shown.split()))

    def test_more_sessions_of_a_client_than_allowed(self):
        with Proxy("sink", self.folder, "--max-sessions-per-client", "1",
                   "--grace", "10ms") as proxy:
            self.assertRegex(self.client(proxy).greeting, rb"^220 ")
            again = self.client(proxy)
            self.assertRegex(again.greeting, rb"^421 4\.7\.0 smtpscope: too many sessions from 127\.0\.0\.1")
            self.assertRegex(self.client(proxy, "127.0.0.2").greeting, rb"^220 ")
            proxy.finish()
        self.assertIn("P  421 4.7.0 smtpscope: too many sessions from 127.0.0.1", show(proxy.capture))


class Status(ServiceTest):
    def test_a_status_on_demand(self):
        with Proxy("sink", self.folder, "--grace", "10ms") as proxy:
            self.client(proxy)
            proxy._process.send_signal(signal.SIGUSR1)
            said = proxy.errors.wait_for(r"status: (.*)")[1]
            self.assertRegex(said, r"^1 session open, 1 in all, 0 unreachable, 0 refused")
            self.assertRegex(said, r"0 events missing from the record; [1-9]\d* MiB of memory")
            proxy.finish()

    def test_the_service_manager_is_told(self):
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(DEADLINE)
            process, _errors = self.start("--listen", "127.0.0.1:0", env={
                "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000"})
            ready = manager.recv(4096).decode()
            self.assertIn("READY=1\n", ready)
            self.assertIn("STATUS=0 sessions open", ready)
            for _ in range(3):
                self.assertIn("WATCHDOG=1\n", manager.recv(4096).decode())
            process.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in manager.recv(4096).decode():
                pass
            self.assertEqual(process.wait(DEADLINE), 0)

    def test_messages_for_the_journal_have_priorities(self):
        reader, writer = os.pipe()
        found = os.fstat(writer)
        process = subprocess.Popen(
            [BINARY, "proxy", "--upstream", "127.0.0.1:1", "-f", "none", "--listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer,
            env={**os.environ, "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(writer)
        errors = Lines(os.fdopen(reader, "rb"), "smtpscope proxy")
        self.addCleanup(errors.close)
        port = int(errors.wait_for(r"^<6>smtpscope: listening on \S*:(\d+)\b")[1])
        Client(port).close()
        errors.wait_for("^<4>smtpscope: cannot reach the server")


class Inherited(ServiceTest):
    """Sockets that were opened before, as systemd does: LISTEN_FDS."""

    def start_with(self, *sockets, env=None, options=()):
        # The variables name the process itself: the shell becomes it.
        fds = " ".join(f"{3 + i}<&{s.fileno()}" for i, s in enumerate(sockets))
        command = f'export LISTEN_PID=$$; exec "$@" {fds}'
        process = subprocess.Popen(
            ["bash", "-c", command, "-", BINARY, "proxy",
             *(options or ("--upstream", "sink", "-f", "none"))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=[s.fileno() for s in sockets],
            env={**os.environ, "LISTEN_FDS": str(len(sockets)), **(env or {})})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        errors = Lines(process.stderr, "smtpscope proxy")
        self.addCleanup(errors.close)
        return process, errors

    def high(self, made):
        """At a number that the shell does not use for itself."""
        number = os.dup2(made.detach(), 50 + len(self._cleanups), inheritable=True)
        again = socket.socket(fileno=number)
        self.addCleanup(again.close)
        return again

    def test_clients_are_taken_from_it(self):
        listening = self.high(socket.create_server(("127.0.0.1", 0)))
        port = listening.getsockname()[1]
        process, errors = self.start_with(listening)
        errors.wait_for(rf"listening on 127\.0\.0\.1:{port} ")
        client = Client(port)
        self.assertRegex(client.greeting, rb"^220 ")
        client.close()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_each_goes_to_the_route_of_its_name(self):
        path = self.folder / "routes.conf"
        path.write_text("format = none\n[route a]\nupstream = sink\n[route b]\nupstream = sink\ntls = intercept\n")
        made = [self.high(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        ports = [each.getsockname()[1] for each in made]
        options = ("--config", str(path))
        process, errors = self.start_with(*made, env={"LISTEN_FDNAMES": "b.tls:a:b"}, options=options)
        errors.wait_for(rf"route a: listening on 127\.0\.0\.1:{ports[1]} \S+ sink$")
        errors.wait_for(rf"route b: listening on 127\.0\.0\.1:{ports[2]} \S+ sink$")
        errors.wait_for(rf"route b: listening on 127\.0\.0\.1:{ports[0]} \S+ sink, TLS from the first octet$")
        client = Client(ports[1])
        self.assertRegex(client.greeting, rb"^220 ")
        client.close()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0)
        for name in ("smtpscope.socket", "b.ssl", "tls"):
            process, errors = self.start_with(made[0], env={"LISTEN_FDNAMES": name}, options=options)
            errors.wait_for(rf"the socket '{name}' of LISTEN_FDS is for no route.*one of a, b")
            self.assertEqual(process.wait(DEADLINE), 2)

    def test_what_is_no_listening_socket_is_refused(self):
        process, errors = self.start_with(self.high(socket.socket(socket.AF_UNIX)))
        errors.wait_for("descriptor 3, given by LISTEN_FDS, is no listening TCP socket")
        self.assertEqual(process.wait(DEADLINE), 2)

    def test_the_world_is_not_let_in_by_it(self):
        process, errors = self.start_with(self.high(socket.create_server(("0.0.0.0", 0))))
        errors.wait_for("--allow")
        self.assertEqual(process.wait(DEADLINE), 2)


class Setup(ServiceTest):
    """What is printed for a transparent proxy; whether it works: transparent_test.py."""

    def run_program(self, *arguments):
        return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=DEADLINE,
                              stdin=subprocess.DEVNULL, check=False)

    def test_what_makes_no_sense_is_said(self):
        listen = ("--listen", "127.0.0.1:0")
        for options, word in (
            (listen, "--upstream"),
            ((*listen, "--transparent", "nat", ), "'nat'"),
            ((*listen, "--transparent", "redirect", "--upstream", "sink"), "only one"),
            ((*listen, "--transparent", "redirect", "--spoof-client"), "tproxy"),
            ((*listen, "--upstream", "sink", "--spoof-client"), "--transparent"),
        ):
            done = self.run_program("proxy", *options)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)
        for options in (("setup", "mail"), ("setup", "transparent", "--mode", "x"),
                        ("setup", "transparent", "--user", "a b")):
            self.assertEqual(self.run_program(*options).returncode, 2)

    def test_a_client_that_came_by_itself_is_refused(self):
        process, errors = self.start_transparent()
        port = int(errors.wait_for(r"listening on \S*:(\d+)\b")[1])
        client = Client(port)
        self.assertRegex(client.greeting, rb"^421 4\.4\.6 smtpscope: ")
        client.close()
        errors.wait_for("no rule of the firewall has sent this client here")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0)

    def start_transparent(self):
        process = subprocess.Popen([BINARY, "proxy", "--transparent", "redirect", "--listen",
                                    "127.0.0.1:0", "-f", "none"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        errors = Lines(process.stderr, "smtpscope proxy")
        self.addCleanup(errors.close)
        return process, errors


if __name__ == "__main__":
    unittest.main()
