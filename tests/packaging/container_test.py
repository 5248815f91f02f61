#!/usr/bin/env python3
"""The container image: built by script/container on a Debian made for it, and run without root, with a
root that is only read and no rights at all; a mail goes through it.

usage: container_test.py BUILD

Images come from nowhere but this system: the base is what debootstrap makes.
"""

import json
import os
import re
import smtplib
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
ROOT = Path(__file__).resolve().parents[2]
IMAGE = "localhost/smtpscope-test"
USER = 8625
DEADLINE = 240


def run(*command, **options):
    return subprocess.run([*map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=DEADLINE * 3, **options)


def must(*command, **options):
    done = run(*command, **options)
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stdout}"
    return done.stdout


# podman asks for higher ones than a root without CAP_SYS_RESOURCE may give.
LIMITS = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]


def mirror():
    """The first repository that apt is set up with here which has this Debian."""
    release = dict(re.findall(r'(?m)^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text()))
    suite = release["VERSION_CODENAME"]
    listed = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages")
    for line in listed.stdout.splitlines():
        uri, _, of = line.partition(" ")
        if of == suite:
            return suite, uri
    return suite, None


class MailServer(socketserver.ThreadingTCPServer):
    """Takes one message after the other."""

    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 mx.example.net ESMTP\r\n")
            for line in self.rfile:
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    message = b""
                    while not message.endswith(b"\r\n.\r\n"):
                        message += self.rfile.readline()
                    self.server.messages.append(message)
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                if verb == b"QUIT":
                    return

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.messages = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Container(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("the image is not built: only root can make a Debian for it")
        for program in ("podman", "debootstrap"):
            if run("sh", "-c", f"command -v {program}").returncode != 0:
                raise unittest.SkipTest(f"the image is not built: there is no {program}")
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-", ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        suite, uri = mirror()
        if uri is None:
            raise unittest.SkipTest("the image is not built: apt knows no repository of this Debian here")
        base = cls.folder / "base"
        if run("debootstrap", "--variant=minbase", suite, base, uri).returncode != 0:
            raise unittest.SkipTest(f"the image is not built: debootstrap cannot make {suite} from {uri}")
        if not cls.able_to_run(base):
            raise unittest.SkipTest("the image is not run: podman can run nothing here")
        manifest = BUILD / "install_manifest.txt"
        kept = manifest.read_bytes() if manifest.exists() else None
        built = run(ROOT / "script/container", "--from", BUILD, "--into", cls.folder / "package",
                    "--base", "localhost/base", "--tag", IMAGE,
                    "--with", " ".join([*cls.podman, "build", "--isolation=chroot", "--layers=false"]))
        if kept is not None:
            manifest.write_bytes(kept)
        else:
            manifest.unlink(missing_ok=True)
        assert built.returncode == 0, built.stdout

    @classmethod
    def able_to_run(cls, base):
        """Finds out how podman keeps images and runs a container here."""
        for driver in ("overlay", "vfs"):
            kept = cls.folder / driver
            cls.podman = ["podman", f"--root={kept}/storage", f"--runroot={kept}/run", f"--tmpdir={kept}/tmp",
                          f"--storage-driver={driver}", "--cgroup-manager=cgroupfs", "--events-backend=none"]
            if run("sh", "-c", f"tar -C {base} -c . | {' '.join(cls.podman)} import - localhost/base").returncode != 0:
                continue
            for runtime in ("crun", "runc"):
                cls.container = [*cls.podman, f"--runtime={runtime}", "run", "--network=host", *LIMITS]
                if run(*cls.container, "--rm", "localhost/base", "true").returncode == 0:
                    return True
        return False

    def confined(self, *arguments, options=()):
        return [*self.container, "--read-only", "--read-only-tmpfs=false", "--cap-drop=all",
                "--security-opt=no-new-privileges", *options, IMAGE, *arguments]

    def test_a_mail_goes_through(self):
        server = MailServer()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        must(*self.podman, "volume", "create", "captures")
        running = subprocess.Popen(
            self.confined("proxy", "--listen", "127.0.0.1:0", "--upstream", f"127.0.0.1:{server.server_address[1]}",
                          "--write", "/var/lib/smtpscope/mail.smtpcap", "--format", "brief",
                          options=["--name=proxy", "--volume=captures:/var/lib/smtpscope"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(running.kill)
        said = ""
        for line in running.stdout:
            said += line
            if found := re.search(r"127\.0\.0\.1:(\d+)", line):
                break
        self.assertTrue(found, said)
        process = must(*self.podman, "inspect", "--format", "{{.State.Pid}}", "proxy").strip()
        status = Path(f"/proc/{process}/status").read_text()
        self.assertEqual(set(re.search(r"(?m)^Uid:\t(.*)$", status)[1].split()), {str(USER)})
        self.assertEqual(int(re.search(r"(?m)^CapEff:\t(.*)$", status)[1], 16), 0)
        with smtplib.SMTP("127.0.0.1", int(found[1]), timeout=DEADLINE) as client:
            client.sendmail("alice@example.com", ["bob@example.net"], b"Subject: through\r\n\r\nhello\r\n")
        self.assertEqual([b"Subject: through" in message for message in server.messages], [True])
        must(*self.podman, "stop", f"--time={DEADLINE}", "proxy")
        rest, _ = running.communicate(timeout=DEADLINE)
        self.assertEqual(running.returncode, 0, said + rest)
        volume = Path(must(*self.podman, "volume", "inspect", "--format", "{{.Mountpoint}}", "captures").strip())
        capture = volume / "mail.smtpcap"
        self.assertEqual((capture.stat().st_uid, capture.stat().st_mode & 0o777), (USER, 0o600))
        sessions = [json.loads(line) for line in must(BUILD / "cli/smtpscope", "show", "-f", "jsonl", capture).splitlines()]
        outcomes = [each["outcome"] for each in sessions if "outcome" in each]
        self.assertEqual(outcomes, ["accepted"], sessions)

    def test_without_a_configuration(self):
        done = run(*self.confined(options=["--rm"]))
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("/etc/smtpscope/smtpscope.conf", done.stdout)

    def test_the_root_is_not_written(self):
        done = run(*self.container, "--rm", "--read-only", "--read-only-tmpfs=false", "--entrypoint=touch", IMAGE,
                   "/var/lib/elsewhere")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("Read-only file system", done.stdout)

    def test_the_script(self):
        self.assertEqual(run("shellcheck", ROOT / "script/container").stdout, "")


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False).result
    for _, why in result.skipped:
        print(f"skipped: {why}")
    sys.exit(not result.wasSuccessful())
