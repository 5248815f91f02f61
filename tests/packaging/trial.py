"""Installs, runs, upgrades and purges the package on a copy of this system, which is thrown away.

Run by package_test.py as root in namespaces of its own, with the copy as root directory:

    trial.py PACKAGE NEWER
"""

import json
import os
import pwd
import re
import shlex
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

HOME = Path("/var/lib/smtpscope")
UNIT = Path("/lib/systemd/system/smtpscope@.service")


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stdout}"
    return done.stdout


def user():
    try:
        return pwd.getpwnam("smtpscope")
    except KeyError:
        return None


def check_installed():
    assert run("/usr/bin/smtpscope", "--version").startswith("smtpscope ")
    state = HOME.stat()
    assert (state.st_mode & 0o7777, state.st_uid) == (0o700, user().pw_uid), oct(state.st_mode)
    assert "example.conf" in run("ls", "/etc/smtpscope")
    assert "127.0.0.1:10025" in run("/usr/bin/smtpscope", "proxy", "--config", "/etc/smtpscope/example.conf", "--check")
    assert "smtpscope-proxy" in run("man", "--where", "smtpscope-proxy")
    links = list(Path("/etc/systemd/system").glob("*.wants/smtpscope*"))
    assert links == [], "a service is started without having been asked for"


def manager():
    """What the service manager of a unit of Type=notify listens on."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    listening.bind("/run/notify")
    os.chmod("/run/notify", 0o777)
    listening.settimeout(60)
    return listening


def told(listening, by):
    """The next message to the manager, which NotifyAccess=main takes from the process itself only."""
    text, sent_with, _, _ = listening.recvmsg(4096, socket.CMSG_SPACE(struct.calcsize("3i")))
    assert struct.unpack("3i", sent_with[0][2])[0] == by.pid, "another process has told this"
    return text.decode()


def service(name):
    """The command of the unit, with the user and the rights that the unit gives it."""
    unit = UNIT.read_text()
    command = re.search(r"(?m)^ExecStart=(.*)$", unit)[1].replace("%i", name).split()
    assert re.search(r"(?m)^User=smtpscope$", unit)
    assert re.search(r"(?m)^AmbientCapabilities=CAP_NET_BIND_SERVICE$", unit)
    for wanted in ("Type=notify", "NotifyAccess=main", "WatchdogSec=60"):
        assert f"\n{wanted}\n" in unit, wanted
    who = user()
    return subprocess.Popen(
        ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups", "--no-new-privs",
         "--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service",
         "--bounding-set=-all,+net_bind_service", *command],
        cwd=HOME, env={**os.environ, "NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "60000000"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def reload(running):
    """What systemctl reload does: the capture that was renamed is begun anew."""
    capture = HOME / "mx.smtpcap"
    capture.rename(HOME / "mx.1.smtpcap")
    command = re.search(r"(?m)^ExecReload=(.*)$", UNIT.read_text())[1]
    who = user()
    # A minimal system has a shell, and no kill beside its own.
    run("setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups", "env", "PATH=/nowhere",
        *shlex.split(command.replace("$MAINPID", str(running.pid))))
    deadline = time.monotonic() + 60
    while not capture.exists():
        assert time.monotonic() < deadline, "no new capture was begun"
        time.sleep(0.01)


def check_service():
    """Port 25 without root, in front of the sink; the capture is kept where the unit lets it write."""
    conf = Path("/etc/smtpscope/mx.conf")
    conf.write_text("listen = 127.0.0.1:25\nupstream = sink\nformat = brief\n"
                    f"write = {HOME}/mx.smtpcap\nappend = yes\n")
    listening = manager()
    running = service("mx")
    try:
        # What it says on standard error fits in the pipe.
        assert "READY=1\n" in told(listening, running)
        assert os.stat(f"/proc/{running.pid}").st_uid in (0, user().pw_uid)
        uids = re.search(r"(?m)^Uid:\t(.*)$", Path(f"/proc/{running.pid}/status").read_text())[1].split()
        assert set(uids) == {str(user().pw_uid)}, uids
        reload(running)
        with socket.create_connection(("127.0.0.1", 25), 30) as client:
            replies = client.makefile("rb")
            assert replies.readline().startswith(b"220 ")
            client.sendall(b"QUIT\r\n")
            assert replies.readline().startswith(b"221 ")
    finally:
        running.terminate()
        while "STOPPING=1" not in told(listening, running):
            pass
        listening.close()
        _, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    capture = HOME / "mx.smtpcap"
    assert (capture.stat().st_uid, capture.stat().st_mode & 0o777) == (user().pw_uid, 0o600)
    assert '"QUIT\\r\\n"' in capture.read_text()
    assert json.loads(capture.read_text().splitlines()[0])["smtpcap"] == 1


def main(package, newer):
    assert user() is None and not HOME.exists(), "this system has smtpscope installed"
    began = time.monotonic()
    run("dpkg", "--install", package)
    print(f"installed in {time.monotonic() - began:.1f} s")
    check_installed()
    check_service()

    run("dpkg", "--install", newer)
    check_installed()
    assert (HOME / "mx.smtpcap").exists() and Path("/etc/smtpscope/mx.conf").exists()

    run("dpkg", "--remove", "smtpscope")
    assert not Path("/usr/bin/smtpscope").exists()
    assert (HOME / "mx.smtpcap").exists() and Path("/etc/smtpscope/mx.conf").exists()

    run("dpkg", "--purge", "smtpscope")
    assert user() is None
    print("purged")


if __name__ == "__main__":
    main(*sys.argv[1:])
