"""`smtpscope check-client`: clients whose bugs are known, and real ones."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "real"))

from follow import DEADLINE  # noqa: E402
from smtpscope import BINARY, show  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

# Sockets alone: what counts here is how often a Python can be started. It tries three times, and is
# as good as its MODE: "good", or what a client must not do.
CLIENT = """
import os, signal, socket, sys, time
mode, host, port, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
left = ["bob@example.net", "carol@example.net"]

class Over(Exception):
    pass

def attempt():
    s = socket.create_connection((host, port), 300)
    f = s.makefile("rb")
    def reply():
        while True:
            try:
                line = f.readline()
            except OSError:
                line = b""
            if line[3:4] == b" ":
                return line[:1]
            if not line:
                if mode != "hangs":
                    raise Over
                time.sleep(0.05)  # waits for more, for ever
    def say(line):
        try:
            s.sendall(line + b"\\r\\n")
        except OSError:
            raise Over
        if mode == "stops" and folder.endswith("black-hole.d") and line.startswith(b"RCPT"):
            os.kill(os.getppid(), signal.SIGINT)
        return reply()
    if reply() != b"2":
        raise Over
    if mode == "hurries":
        rcpt = b"".join(b"RCPT TO:<" + to.encode() + b">\\r\\n" for to in left)
        s.sendall(b"EHLO c.example\\r\\n")
        reply()
        s.sendall(b"MAIL FROM:<a@example.com>\\r\\n" + rcpt + b"BDAT 14 LAST\\r\\nSubject: x\\r\\n\\r\\nQUIT\\r\\n")
        s.shutdown(socket.SHUT_WR)
        codes = [reply() for _ in range(3 + len(left))]
        left[:] = [to for to, code in zip(left, codes[1:-2]) if code != b"2" or codes[-2] != b"2"]
        return
    hello = say(b"EHLO c.example")
    say(b"MAIL FROM:<a@example.com>")
    taken = [to for to in left if say(b"RCPT TO:<" + to.encode() + b">") == b"2"]
    while mode == "hangs" and len(taken) < len(left):
        time.sleep(0.05)
    if taken:
        if mode == "chunks":
            code = say(b"BDAT 14 LAST\\r\\nSubject: x\\r\\n")
        elif say(b"DATA") == b"3":
            code = say(b"Subject: x\\r\\n\\r\\ny\\r\\n.")
        if code == b"2":
            if mode == "duplicates" and len(taken) < len(left):
                say(b"QUIT")
                return
            for to in taken:
                left.remove(to)
    say(b"QUIT")

for _ in range(3):
    try:
        attempt()
    except Over:
        pass
    if not left or mode == "loses":
        break
sys.exit(75 if left and mode != "loses" else 1 if mode == "pessimist" else 0)
"""

# RCPT of the second recipient is put off once.
ONE_LATER = '# Once\n# RFC 5321 4.5.4.1: later\nto session 1: RCPT 2: reply "452 4.2.2 full"\n'
CLOSES = "# The server closes\nto session 1: DATA: close\n"


class CheckClient(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name, text in (("client.py", CLIENT), ("later.scenario", ONE_LATER),
                           ("closes.scenario", CLOSES)):
            (self.folder / name).write_text(text)

    def check(self, client, *options, scenarios=(), fmt="json"):
        arguments = [BINARY, "check-client", "-o", self.folder / "runs", "-f", fmt, *options]
        for name in scenarios:
            own = self.folder / f"{name}.scenario"
            arguments += ["--scenario", own if own.exists() else name]
        done = subprocess.run([str(word) for word in [*arguments, "--", *client]], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=DEADLINE, check=False)
        return done

    def rows(self, client, *options, scenarios, code):
        done = self.check(client, *options, scenarios=scenarios)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        document = json.loads(done.stdout)
        if jsonschema:
            schema = json.loads((ROOT / "docs" / "check-client.schema.json").read_text())
            jsonschema.Draft202012Validator(schema).validate(document)
        self.document = document
        return {row["scenario"]: row for row in document["runs"]}

    def own(self, mode, *options, scenarios, code):
        client = [sys.executable, "-S", self.folder / "client.py", mode, "{host}", "{port}", "{folder}"]
        return self.rows(client, *options, scenarios=scenarios, code=code)

    def assert_row(self, row, result, mark, section):
        self.assertEqual((row["result"], row["mark"], row["section"]), (result, mark, section), row)

    def test_a_good_client(self):
        rows = self.own("good", scenarios=("greylisting", "later", "lost-reply", "mailbox-full",
                                           "refused-at-connect", "no-8bitmime"), code=1)
        self.assert_row(rows["unaltered"], "delivered", "ok", "")
        self.assert_row(rows["greylisting"], "retried", "ok", "")
        self.assertEqual(rows["greylisting"]["attempts"], 3)
        self.assert_row(rows["later"], "retried", "ok", "")
        self.assert_row(rows["lost-reply"], "duplicated", "ok", "RFC 1047")
        self.assertEqual(rows["lost-reply"]["surplus"], 2)
        # Alone in its second attempt, the other recipient is the first.
        self.assert_row(rows["mailbox-full"], "retried", "ok", "")
        # It knows no difference between "later" and "never", and that is told.
        self.assert_row(rows["refused-at-connect"], "gave up", "not ok", "RFC 5321 4.2.1")
        self.assertEqual(rows["refused-at-connect"]["taken"], 0)
        self.assert_row(rows["no-8bitmime"], "delivered", "ok", "")
        self.assertEqual(self.document["ok"], 5)
        # Each is one command away.
        timeline = show(self.folder / "runs" / "greylisting.smtpcap")
        self.assertIn("450", timeline)
        self.assertIn("altered", timeline)

    def test_one_that_loses_mail(self):
        rows = self.own("loses", scenarios=("greylisting", "later"), code=1)
        self.assert_row(rows["greylisting"], "lost mail", "not ok", "RFC 5321 2.1")
        self.assertEqual((rows["greylisting"]["taken"], rows["greylisting"]["wanted"]), (0, 2))
        self.assert_row(rows["later"], "lost mail", "not ok", "RFC 5321 2.1")
        self.assertEqual(rows["later"]["taken"], 1)

    def test_one_that_duplicates(self):
        rows = self.own("duplicates", scenarios=("later", "no-pipelining"), code=1)
        self.assert_row(rows["later"], "duplicated", "not ok", "RFC 5321 6.1")
        self.assertEqual((rows["later"]["taken"], rows["later"]["surplus"]), (2, 1))
        self.assert_row(rows["no-pipelining"], "delivered", "ok", "")

    def test_one_that_hangs(self):
        # The limit is for the one that hangs; it is also what the others have to do with on a slow
        # machine.
        rows = self.own("hangs", "--timeout", "10s", scenarios=("later", "closes", "no-pipelining"), code=1)
        self.assert_row(rows["later"], "hung", "not ok", "RFC 5321 2.1")
        self.assertTrue(rows["later"]["killed"])
        self.assert_row(rows["closes"], "hung", "not ok", "RFC 5321 4.5.3.2")
        self.assert_row(rows["no-pipelining"], "delivered", "ok", "")

    def test_one_that_says_all_at_once_and_closes_its_direction(self):
        rows = self.own("hurries", scenarios=("greylisting",), code=0)
        self.assert_row(rows["unaltered"], "delivered", "ok", "")
        self.assert_row(rows["greylisting"], "retried", "ok", "")

    def test_one_that_uses_what_is_hidden(self):
        rows = self.own("chunks", scenarios=("no-chunking",), code=1)
        self.assertEqual(rows["no-chunking"]["mark"], "not ok", rows["no-chunking"])
        self.assertIn("ext-command-unadvertised", rows["no-chunking"]["findings"])

    def test_ctrl_c_leaves_what_was_found(self):
        rows = self.own("stops", "--jobs", 1, scenarios=("later", "black-hole", "greylisting"), code=0)
        self.assertEqual(sorted(rows), ["later", "unaltered"])
        self.assertEqual(self.document["not_run"], 2)

    def test_what_cannot_be_checked(self):
        good = [sys.executable, "-S", self.folder / "client.py", "good", "{host}", "{port}", "."]
        for client, options, words in (
            (["false", "{port}"], [], "the client did not connect"),
            (["/no/such", "{port}"], [], "cannot start /no/such"),
            (["true"], [], "needs {port}"),
            (good[:3] + ["pessimist", *good[4:]], [], "it exited with 1, and all was taken"),
            (good, ["--scenario", "greylistin"], "did you mean 'greylisting'?"),
            (good, ["--scenario", "tarpit", "--scenario", "tarpit"], "'tarpit' is there twice"),
            (good, ["--what-if", "hide"], "--what-if:5: got the end of it"),
        ):
            with self.subTest(words):
                done = self.check(client, *options)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(words, done.stderr)
                shutil.rmtree(self.folder / "runs", ignore_errors=True)

    def test_real_clients(self):
        (self.folder / "message").write_bytes(b"Subject: x\r\n\r\ny\r\n")
        scenarios = ("421-at-rcpt", "lost-reply", "greylisting", "split-reads")
        rcpt = ["bob@example.net", "carol@example.net"]
        curl = ["curl", "-sS", "smtp://{host}:{port}/c.example", "--mail-from", "a@example.com", "-T",
                self.folder / "message", *(word for to in rcpt for word in ("--mail-rcpt", to))]
        msmtp = ["sh", "-c", f"exec msmtp --file=/dev/null --host=$0 --port=$1 --from=a@example.com "
                 f"--domain=c.example {' '.join(rcpt)} < {self.folder}/message", "{host}", "{port}"]
        for name, client in (("curl", curl), ("msmtp", msmtp)):
            with self.subTest(name):
                rows = self.rows(client, scenarios=scenarios, code=0)
                self.assert_row(rows["421-at-rcpt"], "gave up", "ok", "RFC 5321 2.1")
                self.assert_row(rows["greylisting"], "gave up", "ok", "RFC 5321 2.1")
                self.assert_row(rows["lost-reply"], "may duplicate", "ok", "RFC 1047")
                self.assert_row(rows["split-reads"], "delivered", "ok", "")
                shutil.rmtree(self.folder / "runs")

    def test_the_table(self):
        client = [sys.executable, "-S", self.folder / "client.py", "loses", "{host}", "{port}", "."]
        done = self.check(client, scenarios=("greylisting", "no-8bitmime"), fmt="text")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^greylisting +lost mail +0/2 +1 +0 +\S+ +not ok: it says that all")
        self.assertRegex(done.stdout, r"(?m)^no-8bitmime +delivered +2/2 +1 +0 +\S+ +ok$")
        self.assertIn("2 scenarios: 1 ok, 1 not ok, 0 undecided", done.stdout)
        self.assertIn(f"smtpscope show {self.folder}/runs/greylisting.smtpcap", done.stdout)


if __name__ == "__main__":
    unittest.main()
