#!/usr/bin/env python3
"""What `cmake --install` puts in place works, and the target `uninstall` takes it away again.

usage: install_test.py CMAKE BUILD
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CMAKE, BUILD = sys.argv[1], Path(sys.argv[2])
ROOT = Path(__file__).resolve().parents[2]
MANIFEST = BUILD / "install_manifest.txt"


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def uninstall():
    # As the target does it, which would wait for a build that runs.
    return run(CMAKE, f"-DBUILD={BUILD}", "-P", ROOT / "cmake/uninstall.cmake")


class Install(unittest.TestCase):
    def setUp(self):
        self.prefix = Path(self.enterContext(tempfile.TemporaryDirectory()))
        # The list of what this user has installed is not to get lost.
        kept = MANIFEST.read_bytes() if MANIFEST.exists() else None
        self.addCleanup(self.put_back, kept)
        run(CMAKE, "--install", BUILD, "--prefix", self.prefix)

    @staticmethod
    def put_back(kept):
        if kept is not None:
            MANIFEST.write_bytes(kept)
        else:
            MANIFEST.unlink(missing_ok=True)

    def files(self):
        return [path for path in self.prefix.rglob("*") if not path.is_dir()]

    def test_all_that_can_be_run_is_the_program_and_it_runs(self):
        program = self.prefix / "bin/smtpscope"
        self.assertEqual([path for path in self.files() if os.access(path, os.X_OK)], [program])
        self.assertIn("smtpscope", run(program, "--version"))

    def test_it_is_stripped(self):
        sections = run("readelf", "--section-headers", "--wide", self.prefix / "bin/smtpscope")
        self.assertIn(".text", sections)
        self.assertNotIn(".symtab", sections)
        self.assertNotIn(".debug_info", sections)

    def test_nothing_is_left_but_what_others_put_there(self):
        theirs = self.prefix / "share/doc/smtpscope/examples/theirs"
        theirs.touch()
        uninstall()
        self.assertEqual(self.files(), [theirs])

    def test_the_folders_go_as_well(self):
        uninstall()
        self.assertEqual(list(self.prefix.rglob("smtpscope")), [])

    def test_nothing_was_installed(self):
        uninstall()
        with self.assertRaisesRegex(AssertionError, "nothing to uninstall"):
            uninstall()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
