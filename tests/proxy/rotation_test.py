"""The capture of a run in several files: renamed, rotated, kept, compressed, gone on with."""

import gzip
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "real"))

from follow import DEADLINE  # noqa: E402
from smtpscope import BINARY, Proxy, show_result  # noqa: E402


class Client:
    """A connection that is talked to in lines."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self.replies = self.socket.makefile("rb")
        self.read()

    def read(self):
        line = self.replies.readline()
        while line[3:4] == b"-":
            line = self.replies.readline()
        return line

    def say(self, text):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.read()

    def send_mail(self, body="Subject: x\r\n\r\ny"):
        self.say("MAIL FROM:<alice@example.com>")
        self.say("RCPT TO:<bob@example.net>")
        self.say("DATA")
        return self.say(body + "\r\n.")

    def close(self):
        self.replies.close()
        self.socket.close()


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def header(path):
    return json.loads(path.read_text().split("\n", 1)[0])


def shown(*files, complains=False):
    """The sessions of the files as -f json tells them, of all runs; nothing may be complained of."""
    done = subprocess.run([BINARY, "show", "-f", "json", *map(str, files)], capture_output=True,
                          text=True, timeout=DEADLINE, check=False)
    if done.returncode != 0 or (done.stderr and not complains):
        raise AssertionError(f"smtpscope show ended with {done.returncode}: {done.stderr}")
    decoder = json.JSONDecoder()
    found, text = [], done.stdout.strip()
    while text:
        run, end = decoder.raw_decode(text)
        found += run["sessions"] if "sessions" in run else [s for r in run["runs"] for s in r["sessions"]]
        text = text[end:].strip()
    return found


def told(session):
    """What a session's entries say, without what a file of its own lets differ."""
    return [(e["kind"], e.get("verb"), e.get("code")) for e in session["entries"]]


class RotationTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def client(self, proxy):
        client = Client(proxy.port)
        self.addCleanup(client.close)
        return client

    def wait_until(self, what):
        end = time.monotonic() + DEADLINE
        while not what():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)

    def files(self, ending=".smtpcap"):
        return sorted(file for file in self.folder.iterdir()
                      if file.name.startswith("run") and file.name.endswith(ending))


class Hangup(RotationTest):
    def test_a_closed_terminal_ends_nothing(self):
        for closed in ("", "<&- >&- 2>&-"):
            with self.subTest(closed):
                capture = self.folder / f"run{len(closed)}.smtpcap"
                command = ["bash", "-c", f'exec "$@" {closed}', "-", BINARY, "proxy", "--listen",
                           "127.0.0.1:0", "--upstream", "sink", "-f", "none", "-w", str(capture)]
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                self.addCleanup(process.stderr.close)
                self.addCleanup(process.kill)
                # It takes signals when it has created its capture and is asleep in its loop.
                self.wait_until(capture.exists)
                self.wait_until(lambda: self.catches(process.pid, signal.SIGHUP))
                process.send_signal(signal.SIGHUP)
                self.wait_until(lambda: not self.is_pending(process.pid, signal.SIGHUP))
                self.assertIsNone(process.poll())
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(DEADLINE), 0)

    def status(self, pid, field):
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        found = re.search(rf"^{field}:\s*([0-9a-f]+)$", text, re.M)
        return int(found[1], 16) if found else 0

    def catches(self, pid, number):
        return self.status(pid, "SigCgt") >> (number - 1) & 1

    def is_pending(self, pid, number):
        return (self.status(pid, "ShdPnd") | self.status(pid, "SigPnd")) >> (number - 1) & 1

    def test_a_renamed_capture_is_begun_anew(self):
        with Proxy("sink", self.folder) as proxy:
            client = self.client(proxy)
            client.say("EHLO client.example")
            client.send_mail()
            old = self.folder / "run.smtpcap.1"
            proxy.capture.rename(old)
            proxy._process.send_signal(signal.SIGHUP)
            self.wait_until(proxy.capture.exists)
            client.send_mail()
            client.say("QUIT")
            client.close()
            proxy.finish()
        first, second = header(old), header(proxy.capture)
        self.assertEqual((first["part"], second["part"]), (1, 2))
        self.assertEqual(first["run"], second["run"])
        self.assertEqual(first["started"], second["started"])
        # Each is whole by itself: the greeting and EHLO stand in both.
        for path in (old, proxy.capture):
            (session,) = shown(path)
            verbs = [verb for kind, verb, _ in told(session) if kind == "command"]
            self.assertEqual(verbs[:3], ["EHLO", "MAIL", "RCPT"])
            self.assertEqual(len(session["transactions"]), 1)
        (joined,) = shown(proxy.capture, old)  # in any order
        verbs = [verb for kind, verb, _ in told(joined) if kind == "command"]
        self.assertEqual(verbs, ["EHLO", *["MAIL", "RCPT", "DATA"] * 2, "QUIT"])
        self.assertEqual([t["outcome"] for t in joined["transactions"]], ["accepted"] * 2)

    def test_a_transaction_is_not_split(self):
        with Proxy("sink", self.folder) as proxy:
            client, other = self.client(proxy), self.client(proxy)
            client.say("EHLO client.example")
            client.say("MAIL FROM:<alice@example.com>")
            old = self.folder / "run.smtpcap.1"
            proxy.capture.rename(old)
            proxy._process.send_signal(signal.SIGHUP)
            self.wait_until(proxy.capture.exists)
            other.say("NOOP")
            client.say("RCPT TO:<bob@example.net>")
            client.say("DATA")
            client.say("one\r\n.")
            client.say("NOOP")
            client.say("QUIT")
            client.close()
            other.close()
            proxy.finish()
        before = [e["data"] for e in events(old) if e["s"] == 1 and e["e"] == "bytes"]
        self.assertIn("one\r\n.\r\n", before)
        behind = [e["data"] for e in events(proxy.capture) if e["s"] == 1 and e["e"] == "bytes"]
        self.assertIn("NOOP\r\n", behind)
        self.assertNotIn("one\r\n.\r\n", behind)
        other = [e for e in events(proxy.capture) if e["s"] == 2]
        self.assertIn("NOOP\r\n", [e.get("data") for e in other])
        (joined, _) = shown(old, proxy.capture)
        self.assertEqual([t["outcome"] for t in joined["transactions"]], ["accepted"])

    def test_a_capture_that_was_not_renamed_goes_on(self):
        with Proxy("sink", self.folder) as proxy:
            proxy._process.send_signal(signal.SIGHUP)
            proxy.errors.wait_for("goes on in .*, which was not renamed")
            # Somebody else's file is not written into.
            proxy.capture.rename(self.folder / "old")
            proxy.capture.write_text("precious")
            proxy._process.send_signal(signal.SIGHUP)
            proxy.errors.wait_for("is another file now")
            proxy.finish()
        self.assertEqual(proxy.capture.read_text(), "precious")

    def certificate(self, name):
        key, certificate = self.folder / "key.pem", self.folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key), "-out",
                        str(certificate), "-days", "2", "-subj", f"/CN={name}"],
                       capture_output=True, check=True)
        return key, certificate

    def shown_name(self, port):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as plain:
            with context.wrap_socket(plain) as secure:
                return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True))

    def test_certificates_are_read_again(self):
        key, certificate = self.certificate("before.example")
        options = ("--tls", "intercept", "--listen-tls", "127.0.0.1:0", "--cert", str(certificate),
                   "--key", str(key))
        with Proxy("sink", self.folder, *options) as proxy:
            port = int(proxy.errors.wait_for(r"listening on \S*:(\d+) .*TLS from")[1])
            before = certificate.read_text()
            self.assertEqual(self.shown_name(port).split(), before.split())
            self.certificate("after.example")
            proxy._process.send_signal(signal.SIGHUP)
            proxy.errors.wait_for("the certificates were read again")
            self.assertEqual(self.shown_name(port).split(), certificate.read_text().split())
            kept = certificate.read_text()
            certificate.write_text("broken")
            proxy._process.send_signal(signal.SIGHUP)
            proxy.errors.wait_for("were not read again")
            self.assertEqual(self.shown_name(port).split(), kept.split())
            proxy.finish()


    def test_the_page_finds_sessions_in_renamed_files(self):
        with Proxy("sink", self.folder, "--web", "0") as proxy:
            page = proxy.errors.wait_for(r"page: (http://[^/]*)/")[1]

            def older():
                with urllib.request.urlopen(f"{page}/older?run=1&from=1&before=9", timeout=DEADLINE) as answer:
                    records = [json.loads(line) for line in answer]
                return {record["session"] for record in records[:-1]}

            names = ["run.smtpcap", "run.smtpcap.1", "run.smtpcap.2.gz"]
            for number in (1, 2, 3):
                client = self.client(proxy)
                client.say("QUIT")
                client.close()
                # It is in the file that is renamed next.
                self.wait_until(lambda: older() >= set(range(1, number + 1)))
                if number == 3:
                    break
                # As logrotate does, with delaycompress.
                if number == 2:
                    (self.folder / names[2]).write_bytes(gzip.compress((self.folder / names[1]).read_bytes()))
                proxy.capture.rename(self.folder / names[1])
                proxy._process.send_signal(signal.SIGHUP)
                self.wait_until(proxy.capture.exists)
            # A capture of another run is none of this one's.
            (self.folder / "run.smtpcap.4").write_text(
                proxy.capture.read_text().replace('"run":"', '"run":"other-', 1))
            self.assertEqual(older(), {1, 2, 3})
            proxy.finish()
        self.assertEqual(sorted(file.name for file in self.files("")), [*names, "run.smtpcap.4"])

    def secrets(self, log):
        """The client randoms that the key log has secrets for."""
        lines = [line.split() for line in log.read_text().splitlines()]
        self.assertEqual({len(words) for words in lines}, {3})
        return {words[1] for words in lines}

    def test_a_key_log_that_was_renamed_is_begun_anew(self):
        log, old = self.folder / "keys", self.folder / "keys.1"
        options = ("--tls", "intercept", "--listen-tls", "127.0.0.1:0", "--keylog", str(log), "--append")
        with Proxy("sink", self.folder, *options) as proxy:
            port = int(proxy.errors.wait_for(r"listening on \S*:(\d+) .*TLS from")[1])
            self.shown_name(port)
            proxy._process.send_signal(signal.SIGHUP)  # it was not renamed
            proxy.errors.wait_for("the certificates were read again")
            self.shown_name(port)
            log.rename(old)
            proxy._process.send_signal(signal.SIGHUP)
            self.wait_until(log.exists)
            self.shown_name(port)
            # Somebody else's file is not written into.
            log.rename(self.folder / "keys.2")
            log.write_text("precious")
            proxy._process.send_signal(signal.SIGHUP)
            proxy.errors.wait_for("the key log is not begun anew: .* is another file now")
            self.shown_name(port)
            proxy.finish()
        self.assertEqual(log.read_text(), "precious")
        before, behind = self.secrets(old), self.secrets(self.folder / "keys.2")
        self.assertEqual((len(before), len(behind), before & behind), (2, 2, set()))
        self.assertEqual((self.folder / "keys.2").stat().st_mode & 0o777, 0o600)
        # A restart goes on with it.
        (self.folder / "keys.2").rename(log)
        with Proxy("sink", self.folder, *options) as proxy:
            self.shown_name(int(proxy.errors.wait_for(r"listening on \S*:(\d+) .*TLS from")[1]))
            proxy.finish()
        self.assertEqual(len(self.secrets(log)), 3)


class Rotation(RotationTest):
    """Several files by size."""

    def run_with(self, *options, mails=12):
        with Proxy("sink", self.folder, "--rotate", "4K", *options,
                   capture="run-%Y%m%dT%H%M%S.smtpcap") as proxy:
            client = self.client(proxy)
            client.say("EHLO client.example")
            for _ in range(mails):
                client.send_mail("Subject: x\r\n\r\n" + "text\r\n" * 100)
            client.say("QUIT")
            client.close()
            proxy.finish()
            self.said = "\n".join(proxy.errors.lines)

    def test_files_by_size(self):
        self.run_with()
        files = self.files()
        self.assertGreater(len(files), 3)
        for file in files:
            self.assertRegex(file.name, r"^run-\d{8}T\d{6}(-\d+)?\.smtpcap$")
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            (session,) = shown(file)
            self.assertIn(("command", "EHLO", None), told(session))
            self.assertLessEqual({t["outcome"] for t in session["transactions"]}, {"accepted"})
        (joined,) = shown(*files)
        self.assertEqual(len(joined["transactions"]), 12)
        verbs = [verb for kind, verb, _ in told(joined) if kind == "command"]
        self.assertEqual(verbs, ["EHLO", *["MAIL", "RCPT", "DATA"] * 12, "QUIT"])

    def test_a_missing_part_is_a_hole(self):
        self.run_with()
        files = sorted(self.files(), key=lambda file: header(file)["part"])
        (joined,) = shown(files[0], *files[2:])
        self.assertIn("part 2 of the run is not among the files", json.dumps(joined))

    def test_full_files_are_compressed_and_read_as_they_are(self):
        for how, ending in (("gzip", ".gz"), ("zstd", ".zst")):
            with self.subTest(how):
                for file in self.files(""):
                    file.unlink()
                self.run_with("--compress", how)
                files = self.files("")
                self.assertGreater(len(files), 3)
                self.assertEqual({file.suffix for file in files}, {ending})
                (joined,) = shown(*files)
                self.assertEqual(len(joined["transactions"]), 12)
                if how == "gzip":  # zstd gives nothing of a block that is not whole
                    whole = files[0].read_bytes()
                    files[0].write_bytes(whole[: len(whole) // 2])
                    self.assertIn("it was cut off", show_result(files[0]).stderr)

    def test_old_files_go(self):
        other = self.folder / "run-other.smtpcap"
        other.write_text("mine")
        self.run_with("--keep", "2")
        self.assertTrue(other.exists())
        parts = sorted(header(file)["part"] for file in self.files() if file != other)
        # Two besides the last one.
        self.assertEqual(parts, list(range(parts[0], parts[0] + 3)))
        self.assertGreater(parts[0], 1)

    def test_what_makes_no_sense_is_said(self):
        for options, word in (
            (("--rotate", "4K", "-w", "x.smtpcap"), "%Y"),
            (("--rotate", "soon", "-w", "x-%S.smtpcap"), "'soon'"),
            (("--keep", "many", "-w", "x-%S.smtpcap"), "'many'"),
            (("--keep", "3", "-w", "x.smtpcap"), "%Y"),
            (("--compress", "lzma", "-w", "x-%S.smtpcap"), "'lzma'"),
            (("-w", "x-%Q.smtpcap"), "%%"),
            (("-w", "%Y/x.smtpcap"), "folder"),
            (("--rotate", "1h"), "--write"),
            (("--append", "--force", "-w", "x.smtpcap"), "only one"),
        ):
            done = subprocess.run([BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink",
                                   *options], cwd=self.folder, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])


class Append(RotationTest):
    def one_session(self, *options):
        with Proxy("sink", self.folder, "--append", *options) as proxy:
            client = self.client(proxy)
            client.say("EHLO client.example")
            client.send_mail()
            client.say("QUIT")
            client.close()
            proxy.finish()
        return proxy

    def test_a_restart_goes_on_with_the_capture(self):
        capture = self.one_session().capture
        with open(capture, "a", encoding="ascii") as file:
            file.write('{"t":99,"s":9,"e":"op')
        said = "\n".join(self.one_session().errors.lines)
        self.assertIn("behind session 1", said)
        self.assertRegex(said, r"its last \d+ octets were removed")
        first, second = shown(capture)
        self.assertEqual([s["session"] for s in (first, second)], [1, 2])
        self.assertEqual(told(first), told(second))
        times = [e["t"] for e in events(capture)]
        self.assertEqual(times, sorted(times))

    def test_what_was_written_otherwise_is_left_alone(self):
        capture = self.one_session().capture
        before = capture.read_bytes()
        for options, word in ((("--message", "none"), "--message"), (("--tap", "other"), "--tap"),
                              (("--keep-credentials",), "credentials")):
            done = subprocess.run([BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink",
                                   "--append", "-w", str(capture), *options], capture_output=True,
                                  text=True, stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)
        self.assertEqual(capture.read_bytes(), before)
        mail = self.folder / "mail.txt"
        mail.write_text("no capture\n")
        done = subprocess.run([BINARY, "proxy", "--listen", "127.0.0.1:0", "--upstream", "sink",
                               "--append", "-w", str(mail)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(mail.read_text(), "no capture\n")


if __name__ == "__main__":
    unittest.main()
