"""A file system of its own for a server that is not installed, only unpacked by script/bootstrap.

Mail servers have paths and users compiled into them. In a tree of their own, which is all that they
see (chroot), those are theirs, and no file or user of this machine is touched.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from follow import DEADLINE

BUILD = Path(__file__).resolve().parents[2] / "build"

# The first of the ids that Debian keeps for packages which make their own users.
FIRST_ID = 60_000


class Tree:
    """The programs of `package` (those in `only`, if given), copies of `extra` ones, their libraries, and
    `users`.

    Below build/, where programs may be run for certain, which in /tmp they may not. Each user has a
    group of the same name and id, and a home that is its own. `remove()` takes all of it away.
    """

    def __init__(self, package, users, extra=(), only=None):
        if not (BUILD / package).is_dir():
            raise AssertionError(f"{BUILD / package} is not there: script/bootstrap unpacks it")
        self.root = Path(tempfile.mkdtemp(prefix=f"{package}-run.", dir=BUILD))
        try:
            self.root.chmod(0o755)
            self._take_programs(BUILD / package, extra, only)
            self._make_users(users)
            self.folder("/tmp", mode=0o1777)
            # A file does here; many containers forbid to make devices.
            self.write("/dev/null", "")
            self.inside("/dev/null").chmod(0o666)
        except BaseException:
            self.remove()
            raise

    def _take_programs(self, package, extra, only):
        taken = []
        for folder in ("usr/sbin", "usr/libexec"):
            if (package / folder).is_dir():
                shutil.copytree(package / folder, self.root / folder, symlinks=True)
        for path in list(self.root.rglob("*")):
            # Whoever unpacked them, they are root's here; and they need no set-id bits.
            os.chown(path, 0, 0, follow_symlinks=False)
            if path.is_file() and not path.is_symlink():
                if only is not None and path.name not in only:
                    path.unlink()
                    continue
                path.chmod(0o755)
                taken.append(path)
        for program in extra:
            taken.append(Path(program))
            self._copy(program)
        run = subprocess.run(["ldd", *taken], capture_output=True, text=True, timeout=DEADLINE)
        if run.returncode != 0 or "not found" in run.stdout:
            raise AssertionError(f"ldd: {run.stdout}{run.stderr}")
        for library in set(re.findall(r"(/\S+) \(0x", run.stdout)):
            self._copy(library)

    def _copy(self, path):
        copy = self.inside(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)

    def _make_users(self, users):
        lines = ["root:x:0:0::/root:/bin/sh"]
        groups = ["root:x:0:"]
        self.ids = {"root": 0}
        for at, name in enumerate(users, FIRST_ID):
            self.ids[name] = at
            lines.append(f"{name}:x:{at}:{at}::/home/{name}:/bin/sh")
            groups.append(f"{name}:x:{at}:")
            self.folder(f"/home/{name}", name)
        self.write("/etc/passwd", "\n".join(lines) + "\n")
        self.write("/etc/group", "\n".join(groups) + "\n")
        self.write("/etc/hosts", "127.0.0.1 localhost\n")

    def inside(self, path):
        """Where the file is that the server knows as `path`."""
        return self.root / str(path).lstrip("/")

    def folder(self, path, owner="root", group=None, mode=0o755):
        """Makes a folder, with all above it."""
        made = self.inside(path)
        made.mkdir(parents=True, exist_ok=True)
        os.chown(made, self.ids[owner], self.ids[group or owner])
        made.chmod(mode)
        return made

    def write(self, path, text, owner="root"):
        file = self.inside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
        os.chown(file, self.ids[owner], self.ids[owner])

    def run(self, *command):
        """Runs `command` with the tree as its root, to its end; fails with what it says."""
        process = self.start(*command)
        said = process.communicate(timeout=DEADLINE)[0].decode()
        if process.returncode != 0:
            raise AssertionError(f"{command} ended with {process.returncode}: {said}")

    def start(self, *command):
        """Starts `command` with the tree as its root; what it says comes out of the pipe `stdout`.

        In a process group of its own, so that `end()` can tell its children as well.
        """
        return subprocess.Popen(
            ["chroot", self.root, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            start_new_session=True,
        )

    def remove(self):
        shutil.rmtree(self.root)


def end(process, said):
    """Ends what `Tree.start()` started, and its children; `said` follows their common pipe."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        # Closed when the last of them is gone.
        said.rest()
        process.wait(DEADLINE)
    finally:
        said.close()
        # Somebody did not listen to SIGTERM.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(DEADLINE)
