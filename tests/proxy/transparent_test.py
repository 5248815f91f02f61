"""A transparent proxy on a gateway between two hosts: three network namespaces, two pairs of veth.

What `smtpscope setup transparent` prints is what sets the gateway up.
"""

import os
import re
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

CLIENT, SERVER = "192.0.2.2", "198.51.100.2"
CLIENT6, SERVER6 = "2001:db8:1::2", "2001:db8:2::2"

# A mail server in a few lines, which says whom it sees.
SERVE = r"""
import socket, sys
with socket.create_server(("::", 25), family=socket.AF_INET6, dualstack_ipv6=True) as server:
    print("ready", flush=True)
    while True:
        client, peer = server.accept()
        host = peer[0].removeprefix("::ffff:")
        client.sendall(f"220 seen {host}\r\n".encode())
        client.recv(100)
        client.sendall(b"221 bye\r\n")
        client.close()
"""
ASK = r"""
import socket, sys
client = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
print(client.recv(200).decode(), end="")
client.sendall(b"QUIT\r\n")
client.recv(100)
"""


def command(*words, check=True, **rest):
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False, **rest)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stderr}")
    return done


def why_not():
    """Why namespaces cannot be made here; "" if they can."""
    for tool in ("ip", "nft", "sysctl"):
        if not shutil.which(tool) and not shutil.which(tool, path="/usr/sbin:/sbin"):
            return f"there is no {tool}"
    name = f"smtpscope-probe-{os.getpid()}"
    if command("ip", "netns", "add", name, check=False).returncode != 0:
        return "network namespaces are not allowed here"
    try:
        for chain, rule, why in (
            ("type nat hook output priority -100;", "tcp dport 25 redirect to :2525",
             "the kernel here takes no rules of nft for NAT"),
            ("type filter hook prerouting priority mangle;",
             "meta nfproto ipv4 tcp dport 25 tproxy ip to :2525", "the kernel here has no tproxy"),
        ):
            rules = f"table inet probe {{\n chain c {{\n {chain}\n {rule}\n }}\n}}\ndelete table inet probe\n"
            done = command("ip", "netns", "exec", name, "nft", "-f", "-", check=False, input=rules)
            if done.returncode != 0:
                return why
    finally:
        command("ip", "netns", "del", name)
    return ""


class Transparent(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        tag = f"{os.getpid() % 100000}"
        self.names = {who: f"smtpscope-{who}-{tag}" for who in ("client", "gateway", "server")}
        for name in self.names.values():
            command("ip", "netns", "add", name)
            self.addCleanup(command, "ip", "netns", "del", name, check=False)
        for who, four, six in (("client", "192.0.2", "2001:db8:1"), ("server", "198.51.100", "2001:db8:2")):
            ours, theirs = self.names["gateway"], self.names[who]
            command("ip", "link", "add", who, "netns", ours, "type", "veth", "peer", "name", "eth0",
                    "netns", theirs)
            for name, link, host in ((ours, who, 1), (theirs, "eth0", 2)):
                self.ip(name, "addr", "add", f"{four}.{host}/24", "dev", link)
                self.ip(name, "addr", "add", f"{six}::{host}/64", "dev", link, "nodad")
                self.ip(name, "link", "set", link, "up")
                self.ip(name, "link", "set", "lo", "up")
            self.ip(theirs, "route", "add", "default", "via", f"{four}.1")
            self.ip(theirs, "-6", "route", "add", "default", "via", f"{six}::1")
        self.inside("gateway", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        server, lines = self.start("server", sys.executable, "-c", SERVE)
        lines.wait_for("ready")

    def ip(self, name, *words):
        command("ip", "-n", name, *words)

    def inside(self, who, *words, check=True):
        return command("ip", "netns", "exec", self.names[who], *words, check=check)

    def start(self, who, *words):
        process = subprocess.Popen(["ip", "netns", "exec", self.names[who], *words],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        lines = Lines(process.stdout, words[0])
        self.addCleanup(lines.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, lines

    def set_up(self, mode, *options):
        script = command(BINARY, "setup", "transparent", "--mode", mode, "--interface", "client",
                         *options).stdout
        self.inside("gateway", "sh", "-ec", script)

    def proxy(self, mode, *options):
        process, lines = self.start(
            "gateway", BINARY, "proxy", "--transparent", mode, "--listen", "[::]:2525", "--allow",
            "192.0.2.0/24", "--allow", "2001:db8:1::/64", "-f", "none", "-w",
            str(self.folder / "run.smtpcap"), *options)
        lines.wait_for("listening on")
        self.addCleanup(process.send_signal, signal.SIGTERM)
        return process, lines

    def seen(self, where, port=25, who="client"):
        return self.inside(who, sys.executable, "-c", ASK, where, str(port)).stdout.strip()

    def finish(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(DEADLINE), 0)
        return (self.folder / "run.smtpcap").read_text()

    def test_tproxy(self):
        process, lines = self.proxy("tproxy")
        lines.wait_for("clients will hang")
        lines.wait_for("ip rule add fwmark 1 lookup 100")
        self.finish(process)
        (self.folder / "run.smtpcap").unlink()
        self.set_up("tproxy")
        process, lines = self.proxy("tproxy")
        self.assertEqual(self.seen(SERVER), "220 seen 198.51.100.1")
        self.assertEqual(self.seen(SERVER6), "220 seen 2001:db8:2::1")
        capture = self.finish(process)
        self.assertFalse(lines.has("clients will hang"))
        self.assertIn('"upstream":"198.51.100.2:25"', capture)
        self.assertIn('"upstream":"[2001:db8:2::2]:25"', capture)
        # While it is down mail goes on.
        self.assertEqual(self.seen(SERVER), f"220 seen {CLIENT}")

    def test_the_server_sees_the_client(self):
        self.set_up("tproxy")
        process, _lines = self.proxy("tproxy", "--spoof-client")
        self.assertEqual(self.seen(SERVER), f"220 seen {CLIENT}")
        self.assertEqual(self.seen(SERVER6), f"220 seen {CLIENT6}")
        self.assertIn('"server":"198.51.100.2:25"', self.finish(process))

    def test_redirect(self):
        self.set_up("redirect")
        process, _lines = self.proxy("redirect")
        self.assertEqual(self.seen(SERVER), "220 seen 198.51.100.1")
        self.assertEqual(self.seen(SERVER6), "220 seen 2001:db8:2::1")
        # Whoever comes by himself would be sent round in circles.
        self.assertIn("421 4.4.6", self.seen("192.0.2.1", 2525))
        self.assertIn("421 4.4.6", self.seen("2001:db8:1::1", 2525))
        self.assertIn('"upstream":"198.51.100.2:25"', self.finish(process))

    def test_redirect_on_the_clients_own_host(self):
        script = command(BINARY, "setup", "transparent", "--mode", "redirect", "--user", "nobody").stdout
        self.inside("gateway", "sh", "-ec", script)
        listen = re.search(r"proxy --transparent redirect (--listen \S+)", script)[1].split()
        capture = self.folder / "run.smtpcap"
        self.folder.chmod(0o777)
        process, lines = self.start(
            "gateway", "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", BINARY, "proxy",
            "--transparent", "redirect", *listen, "-f", "none", "-w", str(capture))
        lines.wait_for("listening on")
        self.assertEqual(self.seen(SERVER, who="gateway"), "220 seen 198.51.100.1")
        self.assertEqual(self.seen(SERVER6, who="gateway"), "220 seen 2001:db8:2::1")
        # What this host only passes on is none of its own.
        self.assertEqual(self.seen(SERVER), f"220 seen {CLIENT}")
        told = self.finish(process)
        self.assertEqual(re.findall(r'"upstream":"([^"]*)"', told), ["198.51.100.2:25", "[2001:db8:2::2]:25"])
        # While it is down, connections are refused.
        refused = self.inside("gateway", sys.executable, "-c", ASK, SERVER, "25", check=False)
        self.assertIn("ConnectionRefusedError", refused.stderr)


if __name__ == "__main__":
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main()
