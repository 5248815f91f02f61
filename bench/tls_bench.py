#!/usr/bin/env python3
"""CPU per MB of mail and per session through `smtpscope proxy --tls intercept`, beside HAProxy that ends
TLS and speaks it anew, in the same rounds; and what making a certificate costs.

usage: tls_bench.py SMTPSCOPE [MB [ROUNDS]]
"""

import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "real"))

from follow import Lines, free_port  # noqa: E402
from tls_kit import Certificates  # noqa: E402

LINE = b"x" * 70 + b"\r\n"
CHUNK = LINE * 1000
SESSIONS = 200

HAPROXY = """\
global
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen bench
    bind 127.0.0.1:{port} ssl crt {pem}
    server s 127.0.0.1:{server} ssl ca-file {ca} verify required
"""


def take_mail(peer):
    tail = b""
    while tail[-5:] != b"\r\n.\r\n":
        tail = (tail + peer.recv(262144))[-5:]
    peer.sendall(b"250 taken\r\n")
    peer.recv(65536)
    peer.sendall(b"221 bye\r\n")


def serve(listener, context):
    """A mail server that discards: enough SMTP for one message per session."""
    while True:
        try:
            raw, _ = listener.accept()
        except OSError:
            return
        with context.wrap_socket(raw, server_side=True) as peer:
            peer.sendall(b"220 sink\r\n")
            replies = (b"250 sink\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")
            for reply in replies:
                if peer.recv(65536).startswith(b"QUIT"):
                    peer.sendall(b"221 bye\r\n")
                    break
                peer.sendall(reply)
            else:
                take_mail(peer)


def send(port, megabytes, context):
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port))) as peer:
        peer.recv(65536)
        for command in (b"EHLO x\r\n", b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"DATA\r\n"):
            peer.sendall(command)
            peer.recv(65536)
        for _ in range(megabytes * 1_000_000 // len(CHUNK)):
            peer.sendall(CHUNK)
        peer.sendall(b".\r\n")
        peer.recv(65536)
        peer.sendall(b"QUIT\r\n")
        peer.recv(65536)


def greet(port, name, context):
    """A session that is all handshake."""
    raw = socket.create_connection(("127.0.0.1", port))
    with context.wrap_socket(raw, server_hostname=name) as peer:
        peer.recv(65536)
        peer.sendall(b"QUIT\r\n")
        peer.recv(65536)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(process, port, megabytes, context):
    before = cpu_seconds(process.pid)
    send(port, megabytes, context)
    return 1000 * (cpu_seconds(process.pid) - before) / megabytes


def measure_sessions(process, port, names, context):
    before = cpu_seconds(process.pid)
    for name in names:
        greet(port, name, context)
    return 1000 * (cpu_seconds(process.pid) - before) / len(names)


def start_smtpscope(binary, upstream, ca, folder, *options):
    """The process, where it listens, and its stderr."""
    process = subprocess.Popen(
        [binary, "proxy", "--tls", "intercept", "--listen-tls", "127.0.0.1:0", "--format", "none"]
        + ["--upstream", upstream, "-w", folder / f"run-{len(options)}.smtpcap"]
        + ["--upstream-ca", ca, *options],
        stderr=subprocess.PIPE,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder)},
    )
    lines = Lines(process.stderr, "smtpscope")
    return process, int(lines.wait_for(r"listening on \S*:(\d+)\b")[1]), lines


def main():
    binary = sys.argv[1]
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    folder = Path(tempfile.mkdtemp())
    certificates = Certificates(folder)
    certificate, key = certificates.sign("sink", "DNS:localhost,IP:127.0.0.1")
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    server = listener.getsockname()[1]
    threading.Thread(target=serve, args=(listener, server_context), daemon=True).start()

    pem = folder / "both.pem"
    pem.write_bytes(certificate.read_bytes() + key.read_bytes())
    haproxy_port = free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(
        HAPROXY.format(port=haproxy_port, pem=pem, server=server, ca=certificates.ca)
    )
    haproxy = subprocess.Popen(["haproxy", "-db", "-f", configuration], stderr=subprocess.DEVNULL)
    shown = ("--cert", certificate, "--key", key)
    scope, scope_port, lines = start_smtpscope(
        binary, f"127.0.0.1:{server}", certificates.ca, folder, *shown
    )
    # One that makes certificates.
    maker, maker_port, maker_lines = start_smtpscope(
        binary, f"localhost:{server}", certificates.ca, folder, "--force"
    )
    context = ssl._create_unverified_context()
    for port in (haproxy_port, scope_port):  # both are up, and warm
        for _ in range(50):
            try:
                send(port, 1, context)
                break
            except ConnectionRefusedError:
                threading.Event().wait(0.1)
    results = {"haproxy": [], "smtpscope": []}
    handshakes = {"haproxy": [], "smtpscope": [], "the same name": [], "new names": []}
    again = ["localhost"] * SESSIONS
    try:
        for number in range(rounds):
            results["haproxy"].append(measure(haproxy, haproxy_port, megabytes, context))
            results["smtpscope"].append(measure(scope, scope_port, megabytes, context))
            fresh = [f"host-{number}-{n}.example" for n in range(SESSIONS)]
            for name, process, port, names in (
                ("haproxy", haproxy, haproxy_port, again),
                ("smtpscope", scope, scope_port, again),
                ("the same name", maker, maker_port, again),
                ("new names", maker, maker_port, fresh),
            ):
                handshakes[name].append(measure_sessions(process, port, names, context))
    finally:
        for process in (haproxy, scope, maker):
            process.send_signal(signal.SIGTERM)
            process.wait()
        lines.close()
        maker_lines.close()
    for name, values in results.items():
        print(f"{name:14} {statistics.median(values):6.2f} ms of CPU per MB")
    ratio = statistics.median(results["smtpscope"]) / statistics.median(results["haproxy"])
    print(f"smtpscope / haproxy {ratio:.2f}")
    cost = {name: statistics.median(values) for name, values in handshakes.items()}
    for name, value in cost.items():
        print(f"{name:14} {value:6.2f} ms of CPU per session, both handshakes in it")
    print(f"making a certificate {cost['new names'] - cost['the same name']:.2f} ms of CPU")


if __name__ == "__main__":
    main()
