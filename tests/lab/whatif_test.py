"""`smtpscope whatif`: one client, twice, and what is different."""

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


class WhatIf(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "mail").write_bytes(b"Subject: x\r\n\r\ny\r\n")

    def whatif(self, *options, client=None):
        client = client or ["curl", "-sS", "smtp://{host}:{port}/c.example", "--mail-from", "a@example.com",
                            "--mail-rcpt", "b@example.net", "-T", self.folder / "mail"]
        command = [BINARY, "whatif", "--upstream", "sink", "-o", self.folder / "runs", "--force", *options,
                   "--", *client]
        return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=DEADLINE, check=False)

    def test_what_a_refusal_makes_of_it(self):
        done = self.whatif("--what-if", 'RCPT: reply "450 4.2.0 later"', "--what-if", "hide NOSUCH")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("450", done.stdout)
        ends = done.stdout.split("What became of the mail:\n")[1]
        self.assertRegex(ends, r"unaltered +delivered, 1 of 1 taken, exit status 0\n")
        self.assertRegex(ends, r"altered +gave up, 0 of 1 taken, exit status [1-9]")
        self.assertIn("was of no use: --what-if: hide NOSUCH", ends)
        self.assertTrue((self.folder / "runs" / "altered-1.smtpcap").exists())

    def test_no_difference(self):
        # SMTPUTF8 means nothing to such a mail, and is hidden from a list of keywords.
        done = self.whatif("--what-if", "hide NOSUCH")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("No difference.", done.stdout)

    def test_json(self):
        done = self.whatif("--scenario", "greylisting", "--repeat", 2, "-f", "json")
        self.assertEqual(done.returncode, 1, done.stderr)
        document = json.loads(done.stdout)
        self.assertEqual([run["scenario"] for run in document["runs"]],
                         ["unaltered-1", "unaltered-2", "altered-1", "altered-2"])
        self.assertEqual([run["result"] for run in document["runs"]], ["delivered"] * 2 + ["gave up"] * 2)
        self.assertTrue(document["steady"])
        self.assertEqual(document["lines"][0]["uses"], 2)
        if jsonschema:
            for name, part in (("whatif", document), ("comparison", document["comparison"])):
                schema = json.loads((ROOT / "docs" / f"{name}.schema.json").read_text())
                if name == "comparison":
                    schema = {"$ref": "#/$defs/comparison", "$defs": schema["$defs"]}
                jsonschema.Draft202012Validator(schema).validate(part)

    def test_wrong_usage(self):
        for options, client, words in (([], None, "nothing to change"),
                                       (["--what-if", "hide"], None, "--what-if:5: got the end of it"),
                                       (["--what-if", "hide X"], ["true"], "needs {port}"),
                                       (["--what-if", "hide X"], ["true", "{port}"], "did not connect")):
            done = self.whatif(*options, client=client)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
