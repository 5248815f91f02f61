"""Octets that vanish on the way, and a program that hangs: what TCP tells of each.

Two network namespaces with a pair of veth between them, real sockets, and a filter of nft that drops
the packets of one session, those of full size of another, and none of the third, whose server does
not answer.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))

from follow import DEADLINE, Lines  # noqa: E402
from smtpscope import BINARY  # noqa: E402

SERVE = r"""
import socket, threading
def serve(client):
    stream = client.makefile("rb")
    def say(text): client.sendall(text.encode() + b"\r\n")
    say("220 mx.example")
    for line in stream:
        word = line.split(b" ")[0].strip().upper()
        if b"hang@" in line: continue
        if word == b"DATA":
            say("354 go")
            for line in stream:
                if line == b".\r\n": break
        say("250 ok")
with socket.create_server(("198.51.100.2", 25)) as server:
    print("ready", flush=True)
    while True:
        client, peer = server.accept()
        print(f"peer {peer[1]} ", flush=True)
        threading.Thread(target=serve, args=(client,), daemon=True).start()
"""
# Three sessions up to the command with which the trouble begins; the rest when it is told to.
ASK = r"""
import socket, sys
def open_session():
    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60)
    stream = client.makefile("rb")
    stream.readline()
    def say(text):
        client.sendall(text.encode() + b"\r\n")
        return stream.readline()
    say("EHLO ws.example")
    return client, say
vanishing, _ = open_session()
hanging, _ = open_session()
large, say = open_session()
say("MAIL FROM:<c@example.com>")
say("RCPT TO:<d@example.net>")
say("DATA")
print("begun", flush=True)
sys.stdin.readline()
vanishing.sendall(b"MAIL FROM:<a@example.com>\r\n")
hanging.sendall(b"MAIL FROM:<hang@example.com>\r\n")
large.sendall(b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n" * 300 + b".\r\n")
sys.stdin.readline()
for client in vanishing, hanging, large:
    client.close()
"""


def command(*words, check=True, **rest):
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False, **rest)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stderr}")
    return done


def filter_of(rules):
    lines = "\n".join(f"  {rule}" for rule in rules)
    return f"table ip hole {{\n chain c {{\n  type filter hook input priority 0;\n{lines}\n }}\n}}\n"


def why_not():
    """Why namespaces cannot be made here; "" if they can."""
    for tool in ("ip", "nft"):
        if not shutil.which(tool) and not shutil.which(tool, path="/usr/sbin:/sbin"):
            return f"there is no {tool}"
    name = f"smtpscope-probe-{os.getpid()}"
    if command("ip", "netns", "add", name, check=False).returncode != 0:
        return "network namespaces are not allowed here"
    try:
        rules = filter_of(["tcp sport 1 drop", "tcp sport 1 meta length > 1000 drop"])
        if command("ip", "netns", "exec", name, "nft", "-f", "-", check=False, input=rules).returncode != 0:
            return "the kernel here takes no rules of nft"
    finally:
        command("ip", "netns", "del", name)
    return ""


class BlackHole(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.capture = Path(folder.name) / "run.smtpcap"
        tag = f"{os.getpid() % 100000}"
        self.near, self.far = f"smtpscope-near-{tag}", f"smtpscope-far-{tag}"
        for name in self.near, self.far:
            command("ip", "netns", "add", name)
            self.addCleanup(command, "ip", "netns", "del", name, check=False)
        command("ip", "link", "add", "eth0", "netns", self.near, "type", "veth", "peer", "name", "eth0",
                "netns", self.far)
        for host, name in enumerate((self.near, self.far), start=1):
            command("ip", "-n", name, "addr", "add", f"198.51.100.{host}/24", "dev", "eth0")
            command("ip", "-n", name, "link", "set", "eth0", "up")
            command("ip", "-n", name, "link", "set", "lo", "up")

    def start(self, name, *words):
        process = subprocess.Popen(["ip", "netns", "exec", name, *words], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        lines = Lines(process.stdout, words[0])
        self.addCleanup(lines.close)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, lines

    def leads(self):
        """The first line of each verdict, and its cause, as `show` has them."""
        shown = json.loads(command(BINARY, "show", "-f", "json", str(self.capture)).stdout)
        return [next(line for line in session["end"]["verdict"] if line["kind"] == "lead")
                for session in shown["sessions"]]

    def test_what_tcp_tells(self):
        _server, heard = self.start(self.far, sys.executable, "-c", SERVE)
        heard.wait_for("ready")
        proxy, told = self.start(self.near, BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream",
                                 "198.51.100.2:25", "-f", "jsonl", "--grace", "10ms", "-w", str(self.capture))
        port = told.wait_for(r"listening on 127\.0\.0\.1:(\d+)").group(1)
        client, said = self.start(self.near, sys.executable, "-c", ASK, port)
        said.wait_for("begun")
        vanishing, large = (heard.wait_for(r"peer (\d+) ", count).group(1) for count in (1, 3))
        rules = filter_of([f"tcp sport {vanishing} drop", f"tcp sport {large} meta length > 1000 drop"])
        command("ip", "netns", "exec", self.far, "nft", "-f", "-", input=rules)
        client.stdin.write(b"go on\n")
        client.stdin.flush()
        # Told while the silence lasts.
        told.wait_for(r'(?=.*"event":"tcp")(?=.*"session":1\b)(?=.*"lost":true)')
        told.wait_for(r'(?=.*"event":"tcp")(?=.*"session":2\b)(?=.*"side":"server")(?=.*"confirmed":true)')
        told.wait_for(r'(?=.*"event":"tcp")(?=.*"session":3\b)(?=.*"lost":true)')
        client.stdin.write(b"leave\n")
        client.stdin.flush()
        self.assertEqual(client.wait(DEADLINE), 0)
        told.wait_for(r'(?=.*"event":"closed")(?=.*"side":"client")', count=3)
        proxy.send_signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(DEADLINE), 0)

        vanished, hung, too_large = self.leads()
        self.assertEqual(vanished["cause"], "path-black-hole")
        self.assertIn("27 octets to the server were sent again", vanished["text"])
        self.assertNotIn("MTU", vanished["text"])
        self.assertEqual(hung["cause"], "client-gave-up-waiting")
        self.assertIn("whose host has confirmed all that it was sent", hung["text"])
        self.assertEqual(too_large["cause"], "path-black-hole")
        self.assertIn("MTU", too_large["text"])


if __name__ == "__main__":
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
