"""`smtpscope bisect` with clients whose trouble is known."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "real"))

from follow import DEADLINE  # noqa: E402
from smtpscope import BINARY  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

# Sockets alone: what counts here is how often a Python can be started.
CLIENT = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
f = s.makefile("rb")
def reply():
    text = b""
    while True:
        line = f.readline()
        text += line
        if line[3:4] != b"-":
            return text
def say(line):
    s.sendall(line + b"\\r\\n")
    return reply()
greeting = reply()
hello = say(b"EHLO c.example")
bad = {condition}
say(b"MAIL FROM:<a@example.com>")
began = time.monotonic()
say(b"RCPT TO:<b@example.net>")
took = time.monotonic() - began
if bad{later}:
    say(b"RSET")
else:
    say(b"DATA")
    say(b"Subject: x\\r\\n\\r\\ny\\r\\n.")
say(b"QUIT")
sys.exit({code})
"""


class Bisect(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def client(self, condition, code="0", later=""):
        file = self.folder / "client.py"
        text = CLIENT.replace("{condition}", condition).replace("{code}", code)
        file.write_text(text.replace("{later}", later))
        return file

    def document(self, done):
        document = json.loads(done.stdout)
        if jsonschema:
            schema = json.loads((ROOT / "docs" / "bisect.schema.json").read_text())
            jsonschema.Draft202012Validator(schema).validate(document)
        return document

    def bisect(self, *arguments):
        return subprocess.run([BINARY, "bisect", "--upstream", "sink", *map(str, arguments)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=DEADLINE, check=False)

    def by_finding(self, condition):
        return self.bisect("--repeat", 1, "--bad", "txn-aborted-rset", "--", sys.executable, "-S",
                           self.client(condition), "{host}", "{port}")

    def test_one_keyword(self):
        done = self.by_finding('b"8BITMIME" in hello')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("the client behaves as soon as this is altered:\n  hide 8BITMIME\n", done.stdout)
        self.assertIn("smtpscope proxy --listen 2525 --upstream sink --what-if 'hide 8BITMIME'", done.stdout)
        self.assertIn("--- unaltered", done.stdout)
        self.assertNotIn("or, by itself", done.stdout)

    def test_either_of_two(self):
        done = self.by_finding('b"8BITMIME" in hello and b"sink" in greeting')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("hide 8BITMIME", done.stdout.split("found in")[1])
        self.assertIn("greeting: reply", done.stdout.split("found in")[1])

    def test_both_of_two(self):
        done = self.by_finding('b"8BITMIME" in hello or b"CHUNKING" in hello')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = done.stdout.split("this is altered:\n")[1]
        self.assertTrue(found.startswith("  hide 8BITMIME\n  hide CHUNKING\n"), found)

    def test_the_delay_at_rcpt_that_makes_it_bad(self):
        # The client's limit is far above what a busy machine adds, and the delay above that.
        client = self.client("False", later=" or took > 3")
        traits = [word for line in ("hide 8BITMIME", "reply to RCPT: wait 5s", "hide SIZE")
                  for word in ("--trait", line)]
        done = self.bisect("--repeat", 1, "--make-bad", "--only", *traits, "--bad", "txn-aborted-rset",
                           "-f", "json", "--", sys.executable, "-S", client, "{host}", "{port}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        document = self.document(done)
        self.assertEqual(document["end"], "found")
        self.assertEqual(document["minimal"], ["reply to RCPT: wait 5s"])
        self.assertEqual(document["runs"], 6)  # to look, unaltered, all, each alone
        self.assertEqual(document["experiments"][0], {"altered": [], "judgement": "good"})

    def test_nothing_to_find(self):
        done = self.by_finding("False")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("unaltered, the client behaves", done.stdout)
        done = self.by_finding("True")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("it is bad whatever is altered", done.stdout)

    def test_a_command_judges_and_one_that_flickers_is_told(self):
        counter = self.folder / "n"
        counter.write_text("0")
        client = self.client("False", f'int(open({str(counter)!r}, "r+").write("") or 0)')
        script = self.folder / "judge.sh"
        script.write_text(f"{sys.executable} -S {client} $1 $2\n"
                          f"n=$(cat {counter}); echo $((n + 1)) > {counter}\nexit $((n % 2))\n")
        done = self.bisect("--run", f"sh {script} {{host}} {{port}}")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("inconclusive: unaltered: 1 times good, 1 times bad", done.stdout)
        done = self.bisect("-f", "json", "--run", f"sh {script} {{host}} {{port}}")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        document = self.document(done)
        self.assertEqual((document["end"], document["minimal"]), ("inconclusive", []))
        self.assertEqual((document["last"]["good"], document["last"]["bad"]), (1, 1))

    def test_wrong_usage(self):
        for arguments, words in ((["--bad", "no-such", "--", "true"], "no finding 'no-such'"),
                                 (["--bad", "txn-aborted-rset"], "give its command behind --"),
                                 (["--", "true"], "either --bad"),
                                 (["--bad", "txn-aborted-rset", "--", "true"], "did not connect"),
                                 (["--bad", "txn-aborted-rset", "--", "/no/such"], "cannot start /no/such")):
            done = self.bisect(*arguments)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
