"""A private Dovecot that takes mail by LMTP on a Unix socket, gone when the test ends."""

import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from follow import DEADLINE, FollowedFile
from server import Server

# Dovecot 2.4 renamed most settings and wants to be told for which version they are written.
CONFIG_2_3 = """\
mail_location = maildir:{base}/mail/%n
userdb {{
  driver = static
  args = uid=mail gid=mail home={base}/mail/%n allow_all_users=no
}}
passdb {{
  driver = passwd-file
  args = {base}/users
}}
"""
CONFIG_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_driver = maildir
mail_path = {base}/mail/%{{user | username}}
userdb static {{
  userdb_static_allow_all_users = no
  fields {{
    uid = mail
    gid = mail
    home = {base}/mail/%{{user | username}}
  }}
}}
passdb passwd-file {{
  passwd_file_path = {base}/users
}}
"""
CONFIG = """\
protocols = lmtp
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
ssl = no
default_internal_user = dovecot
default_login_user = dovenull
first_valid_uid = 1
service lmtp {{
  unix_listener {socket} {{
    mode = 0600
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@example.net
}}
"""
DOVECOT = "/usr/sbin/dovecot"


def configuration(base, socket):
    run = subprocess.run([DOVECOT, "--version"], capture_output=True, text=True, timeout=DEADLINE)
    version = tuple(int(part) for part in run.stdout.split(".")[:2])
    # The version comes first in the file.
    template = (CONFIG_2_4 if version >= (2, 4) else CONFIG_2_3) + CONFIG
    return template.format(base=base, socket=socket)


class Dovecot(Server):
    """`socket` is the path of its LMTP socket."""

    base = None
    lines = None
    _process = None

    def _start(self):
        self.base = Path(tempfile.mkdtemp(prefix="scope-dc-", dir="/tmp"))
        self.base.chmod(0o755)
        self.socket = self.base / "lmtp"
        for name in ("run", "state", "mail"):
            (self.base / name).mkdir()
        shutil.chown(self.base / "mail", "mail", pwd.getpwnam("mail").pw_gid)
        (self.base / "users").write_text("bob@example.net:{PLAIN}x\ncarol@example.net:{PLAIN}x\n")
        config = self.base / "dovecot.conf"
        config.write_text(configuration(self.base, self.socket))
        (self.base / "log").touch()
        self.lines = FollowedFile(self.base / "log")
        self._process = subprocess.Popen(
            [DOVECOT, "-F", "-c", config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        # Its sockets are bound before it says so.
        self.lines.wait_for("starting up for lmtp")

    def _stop(self):
        if self._process:
            self._process.terminate()
            self._process.communicate(timeout=DEADLINE)
        if self.lines:
            self.lines.close()
        if self.base:
            shutil.rmtree(self.base)

    def mail(self, recipient, count=1):
        """The messages of `recipient`'s box once `count` of them are in it."""
        self.lines.wait_for(rf"lmtp\({recipient}\).*saved mail to INBOX", count)
        box = self.base / "mail" / recipient.split("@")[0] / "new"
        return [path.read_bytes() for path in sorted(box.iterdir())]
