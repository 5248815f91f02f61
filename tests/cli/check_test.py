#!/usr/bin/env python3
"""`smtpscope proxy --config FILE --check`: what would be done, and where in the file it is wrong."""

import re
import socket
import unittest

from program import ProgramTest, run


class Check(ProgramTest):
    def check(self, *lines):
        path = self.file("a.conf", "\n".join(lines).encode())
        return run("proxy", "--config", path, "--check"), path

    def assert_refused(self, lines, place, *words):
        result, path = self.check(*lines)
        self.assert_fails(result, *words)
        # File and line, and a column that is there.
        told = re.match(re.escape(f"smtpscope: {path}{place}") + (r":(\d+): " if place else ": "), result.err)
        self.assertIsNotNone(told, result.err)
        if place:
            self.assertLessEqual(int(told[1]), len(lines[int(place[1:]) - 1]))

    def plan(self, *lines):
        result, _ = self.check(*lines)
        self.assertEqual((result.code, result.err), (0, ""))
        return dict(re.match(r"(.{15}) (.*)", line).groups() for line in result.out.splitlines())

    def test_says_what_it_would_do(self):
        plan = self.plan("listen = 0.0.0.0:25", "listen = 2525", "allow = 192.0.2.0/24",
                         "upstream = mx.example:2525", "send-proxy = v2", "message = none",
                         f"write = {self.folder / 'new.smtpcap'}", "filter = from:alice not to:bob",
                         "grace = 1m", "web = 8625", "tls = strip", "format = none")
        told = {name.strip(): words for name, words in plan.items()}
        self.assertEqual(told["listen"], "0.0.0.0:25, 127.0.0.1:2525, [::1]:2525")
        self.assertIn("mx.example:2525", told["upstream"])
        self.assertEqual(told["clients from"], "loopback, 192.0.2.0/24")
        self.assertEqual(told["server is told"], "PROXY v2")
        self.assertIn("STARTTLS is hidden", told["TLS"])
        self.assertIn("new.smtpcap; nothing of messages is kept; credentials are masked", told["capture"])
        self.assertEqual(told["filter"], "from:alice not to:bob")
        self.assertEqual(told["page"], "8625")
        self.assertIn("60 s for open sessions", told["limits"])
        self.assertFalse((self.folder / "new.smtpcap").exists())

    def test_nothing_is_opened(self):
        # The port is taken, the server does not exist: neither is tried.
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.plan(f"listen = 127.0.0.1:{taken.getsockname()[1]}", "upstream = 127.0.0.1:1")
        key_log = self.folder / "keys"
        self.plan("listen = 2525", "upstream = mx.example", "tls = intercept", f"keylog = {key_log}")
        self.assertFalse(key_log.exists())

    def test_the_command_line_counts_more(self):
        path = self.file("a.conf", b"listen = 2525\nupstream = mx.example\n")
        result = run("proxy", "--config", path, "--check", "--listen", "2626")
        self.assertRegex(result.out, r"(?m)^listen +127.0.0.1:2626, \[::1\]:2626$")

    def test_without_a_file(self):
        result = run("proxy", "--check", "--listen", "2525", "--upstream", "sink")
        self.assertEqual((result.code, result.err), (0, ""))

    def test_where_it_is_wrong(self):
        good = ("# a comment", "listen = 2525", "upstream = mx.example")
        self.assert_refused((*good, "sendproxy = v2"), ":4", "Did you mean 'send-proxy'?")
        self.assert_refused((*good, "send-proxy = v3"), ":4", "'v3'")
        self.assert_refused((*good, "grace = soon"), ":4", "'soon'")
        self.assert_refused((*good, "listen = 99999"), ":4", "'99999'")
        self.assert_refused((*good, "allow = 10.0.0.1/8"), ":4", "'10.0.0.1/8'")
        self.assert_refused((*good, "set = gap.nose=1s"), ":4", "Did you mean")
        self.assert_refused((*good, "off = timing,rset-nop"), ":4", "Did you mean 'rset-noop'?")
        self.assert_refused((*good, "filter = colour:red"), ":4")
        self.assert_refused((*good, "format = json"), ":4", "jsonl")
        self.assert_refused((*good, "web = 99999"), ":4", "'99999'")
        self.assert_refused((*good, "cert = a.pem"), "", "--tls intercept")
        self.assert_refused((*good, "tls = intercept", "cert = a.pem"), ":5", "--cert and --key")
        self.assert_refused((*good, "tls = intercept", "cert = /nowhere.pem", "key = /nowhere.pem"), ":5",
                            "/nowhere.pem")
        self.assert_refused(("upstream = mx.example",), "", "nowhere to listen")
        self.assert_refused(("listen = 2525",), "", "--upstream")
        self.assert_refused(("listen = 0.0.0.0:25", "upstream = mx.example"), ":1", "--allow")
        self.assert_refused(("listen = 2525", "upstream = localhost:2525"), ":2", "where smtpscope itself listens")

    def test_says_what_each_route_would_do(self):
        result, _ = self.check(f"write = {self.folder / 'new.smtpcap'}", "filter = not verb:NOOP", "grace = 2s",
                               "[route mx]", "listen = 0.0.0.0:25", "allow = 192.0.2.0/24", "upstream = mx.example",
                               "send-proxy = v2", "max-sessions = 7",
                               "[route submission]", "listen = 587", "listen-tls = 465", "upstream = mx.example:587",
                               "tls = intercept", "upstream-tls = starttls", "filter = outcome:refused",
                               "connect-timeout = 3s")
        self.assertEqual((result.code, result.err), (0, ""))
        mx, submission, process = [
            dict(re.match(r"(.{15}) (.*)", line).groups() for line in part.splitlines())
            for part in result.out.split("\n\n")]
        told = lambda part: {name.strip(): words for name, words in part.items()}
        mx, submission, process = told(mx), told(submission), told(process)
        self.assertEqual((mx["route"], submission["route"]), ("mx", "submission"))
        self.assertEqual(mx["listen"], "0.0.0.0:25")
        self.assertEqual(mx["clients from"], "loopback, 192.0.2.0/24")
        self.assertEqual(mx["server is told"], "PROXY v2")
        self.assertIn("relayed untouched", mx["TLS"])
        self.assertEqual(mx["limits"], "7 sessions; 10 s for an address of the server")
        self.assertEqual(submission["listen, TLS"], "127.0.0.1:465, [::1]:465")
        self.assertIn("mx.example:587", submission["upstream"])
        self.assertEqual(submission["filter"], "outcome:refused")
        self.assertEqual(submission["limits"], "3 s for an address of the server")
        self.assertIn("new.smtpcap", process["capture"])
        self.assertEqual(process["filter"], "not verb:NOOP")
        self.assertIn("2 s for open sessions", process["limits"])

    def test_where_a_route_is_wrong(self):
        mx = ("[route mx]", "listen = 2525", "upstream = mx.example")
        submission = ("[route submission]", "listen = 587", "upstream = mx.example:587")
        # An option in the wrong place.
        self.assert_refused((*mx, "write = a.smtpcap"), ":4", "'write' is of the whole process")
        self.assert_refused((*mx, "  grace = 1s"), ":4", "'grace' is of the whole process")
        self.assert_refused(("listen = 25", *mx), ":1", "'listen' is of one route")
        self.assert_refused((*mx, "config = b"), ":4", "command line")
        self.assert_refused((*mx, "sendproxy = v1"), ":4", "Did you mean 'send-proxy'?")
        # A value that is wrong, in the route where it is, though the other says the same.
        self.assert_refused((*mx, "send-proxy = v2", *submission, "send-proxy = v3"), ":8", "route submission", "'v3'")
        self.assert_refused((*mx, "filter = colour:red"), ":4", "'colour:'")
        self.assert_refused((*mx, "what-if = hid SIZE"), ":4", "hid")
        self.assert_refused((*mx, "tls = strip", "what-if = hide SIZE"), ":4", "--what-if")
        self.assert_refused((*mx, "tls = intercept", "cert = /nowhere.pem", "key = /nowhere.pem"), ":5", "/nowhere.pem")
        self.assert_refused((*mx, "[route submission]", "listen = 0.0.0.0:587", "upstream = a"), ":5", "--allow")
        self.assert_refused((*mx, "[route submission]", "upstream = a"), ":4", "nowhere to listen")
        self.assert_refused((*mx, "[route mx]"), ":4", "line 1")
        # Two that cannot both be.
        self.assert_refused((*mx, "[route b]", "listen = 127.0.0.1:2525", "upstream = a"), ":5",
                            "route mx listens on 127.0.0.1:2525")
        self.assert_refused((*mx, "[route b]", "allow-everyone", "listen = 0.0.0.0:2525", "upstream = a"), ":6",
                            "route mx listens on 127.0.0.1:2525")
        self.assert_refused((*mx, "[route b]", "listen-tls = 2525", "tls = intercept", "upstream = a"), ":5", "route mx")
        keylog = ("tls = intercept", f"keylog = {self.folder / 'keys'}")
        self.assert_refused((*mx, *keylog, *submission, *keylog), ":10", "route mx writes it")
        # One that leads to itself, or to another.
        for server in ("127.0.0.1:587", "localhost:587", "127.0.0.1:2525"):
            self.assert_refused(("[route mx]", "listen = 2525", f"upstream = {server}", *submission), ":3",
                                "where smtpscope itself listens")

    def test_an_option_of_one_route_on_the_command_line(self):
        path = self.file("a.conf", b"[route mx]\nlisten = 2525\nupstream = mx.example\n")
        self.assert_fails(run("proxy", "--config", path, "--check", "--upstream", "sink"),
                          "--upstream is of one route", f"{path}")
        result = run("proxy", "--config", path, "--check", "--filter", "verb:DATA", "--format", "none")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertRegex(result.out, r"(?m)^filter +verb:DATA$")

    def test_no_file(self):
        self.assert_fails(run("proxy", "--config", self.folder / "none.conf"), "none.conf", "No such file")


if __name__ == "__main__":
    unittest.main()
