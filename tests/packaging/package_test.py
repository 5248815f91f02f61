#!/usr/bin/env python3
"""The Debian package: what is in it, lintian, the unit; installed, run, upgraded and purged.

usage: package_test.py BUILD

The system it is installed on is this one, under an overlay that takes all changes, in namespaces of its
own: nothing of it is left, and what the package leaves behind is what the overlay has in the end.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(sys.argv[1]).resolve()
ROOT = Path(__file__).resolve().parents[2]
TRIAL = Path(__file__).resolve().with_name("trial.py")

# On a tmpfs, since an overlay cannot lie on another one, as a container's root may be.
OVERLAY = r"""
set -e
scratch=$1 package=$2 newer=$3 trial=$4
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/changed" "$scratch/work" "$scratch/root"
cp "$package" "$newer" "$trial" "$scratch/"
mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/changed,workdir=$scratch/work" "$scratch/root" || exit 77
mount --rbind /dev "$scratch/root/dev"
mount -t proc proc "$scratch/root/proc" || exit 77
mount -t tmpfs tmpfs "$scratch/root/run"
mount -t tmpfs tmpfs "$scratch/root/tmp"
cp "$scratch"/*.deb "$scratch/trial.py" "$scratch/root/tmp/"
ip link set lo up
chroot "$scratch/root" python3 -B /tmp/trial.py "/tmp/${package##*/}" "/tmp/${newer##*/}"
# Character devices stand for what was removed.
cd "$scratch/changed" && find . ! -type c ! -type d -printf 'left %P\n'
find . -type d -name '*smtpscope*' -printf 'left %P\n'
"""


def run(*command, **options):
    return subprocess.run([*map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="smtpscope-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        manifest = BUILD / "install_manifest.txt"
        kept = manifest.read_bytes() if manifest.exists() else None
        made = run(ROOT / "script/package", "--from", BUILD, "--into", cls.folder)
        # The list of what this user has installed is not to get lost.
        if kept is not None:
            manifest.write_bytes(kept)
        else:
            manifest.unlink(missing_ok=True)
        if made.returncode != 0:
            raise AssertionError(f"script/package: {made.stdout}")
        cls.package = Path(made.stdout.splitlines()[-1])

    def test_contents(self):
        files = set(re.findall(r"(?m) \./(\S*[^/\s])$", run("dpkg", "--contents", self.package).stdout))
        for wanted in ("usr/bin/smtpscope", "etc/smtpscope/example.conf", "lib/systemd/system/smtpscope@.service",
                       "usr/lib/sysusers.d/smtpscope.conf", "usr/lib/tmpfiles.d/smtpscope.conf",
                       "etc/logrotate.d/smtpscope", "usr/share/bash-completion/completions/smtpscope",
                       "usr/share/zsh/vendor-completions/_smtpscope",
                       "usr/share/fish/vendor_completions.d/smtpscope.fish", "usr/share/man/man1/smtpscope.1.gz",
                       "usr/share/man/man1/smtpscope-proxy.1.gz", "usr/share/man/man5/smtpcap.5.gz",
                       "usr/share/man/man7/smtpscope-rules.7.gz", "usr/share/man/man8/smtpscope@.service.8.gz",
                       "usr/share/doc/smtpscope/README.md"):
            with self.subTest(wanted):
                # Where units belong is another place in Debian 13.
                self.assertTrue({wanted, f"usr/{wanted}"} & files)

    def test_the_version_is_that_of_the_program(self):
        version = run("dpkg-deb", "--field", self.package, "Version").stdout
        program = run(BUILD / "cli/smtpscope", "--version").stdout.split()[1]
        self.assertRegex(version, rf"\A{re.escape(program)}\+deb\d+\n\Z")

    def test_the_unit(self):
        unit = self.folder / "smtpscope@.service"
        # The program is not installed here; all else is to be verified.
        text = (ROOT / "packaging/smtpscope@.service").read_text()
        unit.write_text(text.replace("/usr/bin/smtpscope ", f"{BUILD}/cli/smtpscope "))
        verified = run("systemd-analyze", "verify", "--man=no", unit)
        self.assertEqual((verified.returncode, verified.stdout), (0, ""))
        exposed = run("systemd-analyze", "security", "--offline=true", "--threshold=25", unit)
        self.assertEqual(exposed.returncode, 0, exposed.stdout)

    def test_scripts(self):
        scripts = [*ROOT.glob("debian/smtpscope.p*"), ROOT / "script/package"]
        checked = run("shellcheck", *scripts)
        self.assertEqual((checked.returncode, checked.stdout), (0, ""))

    def newer(self):
        """The same package, as if it were of a later version."""
        tree = self.folder / "newer"
        self.assertEqual(run("dpkg-deb", "--raw-extract", self.package, tree).returncode, 0)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+later", control.read_text()))
        package = self.folder / "newer.deb"
        built = run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, package)
        self.assertEqual(built.returncode, 0, built.stdout)
        return package

    def test_installed_run_upgraded_and_purged(self):
        if os.geteuid() != 0:
            self.skipTest("the package is not installed: only root can")
        if run("unshare", "--mount", "--net", "--pid", "--fork", "true").returncode != 0:
            self.skipTest("the package is not installed: no namespaces can be made here")
        scratch = self.folder / "scratch"
        scratch.mkdir()
        done = run("unshare", "--mount", "--net", "--pid", "--fork", "bash", "-c", OVERLAY, "overlay", scratch,
                   self.package, self.newer(), TRIAL)
        if done.returncode == 77:
            self.skipTest("the package is not installed: nothing can be laid over this file system")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("purged", done.stdout)
        left = re.findall(r"(?m)^left (.*)$", done.stdout)
        self.assertTrue(left, done.stdout)  # dpkg's own, at least
        ours = [path for path in left if "smtpscope" in path]
        self.assertEqual(ours, [])
        # Lists that had our names in them for a while.
        for path in left:
            self.assertRegex(path, r"^(var/lib/(dpkg|systemd)/|var/cache/|var/log/|etc/(passwd|group|shadow|gshadow|subuid|subgid|\.pwd)|run/|root/\.)",
                             "left behind")


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False).result
    for _, why in result.skipped:
        print(f"skipped: {why}")
    sys.exit(not result.wasSuccessful())
