"""A private Postfix: its own configuration, queue, log and port, gone when the test ends."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import maildir
from follow import DEADLINE, FollowedFile
from server import Server, start_on_free_port

PROGRAMS = Path("/usr/sbin")
DAEMONS = Path("/usr/lib/postfix/sbin")

# Known recipients; anyone else at example.net is refused at RCPT.
KNOWN = ("bob@example.net", "carol@example.net", "dave@example.net")

MAIN = """\
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = {programs}
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/maillog
maillog_file_prefixes = {base}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.smtpscope.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
alias_maps =
alias_database =
virtual_mailbox_domains = example.net
virtual_mailbox_maps = inline:{{ {boxes} }}
virtual_mailbox_base = {base}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
message_size_limit = 0
virtual_mailbox_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
default_process_limit = 100
"""

# As Postfix ships it, without chroot, and with smtpd on a port of our own.
MASTER = """\
127.0.0.1:{port} inet n - n - - {smtpd}
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - - virtual
lmtp      unix - - n - - lmtp
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

# What Postfix or its delivery agent stamps on a message, and so differs between two deliveries.
STAMPS = (b"return-path:", b"x-original-to:", b"delivered-to:", b"received:")


class Postfix(Server):
    """`lines` follows the mail log; `port` is smtpd's."""

    base = None
    lines = None
    _started = False

    def __init__(self, settings="", services="", smtpd="smtpd"):
        self._smtpd = smtpd
        self._settings = settings
        self._services = services

    def _start(self):
        # Short: the names of Postfix's sockets must fit in 108 octets.
        self.base = Path(tempfile.mkdtemp(prefix="scope-pf-", dir="/tmp"))
        self.base.chmod(0o755)
        owner = pwd.getpwnam("mail")
        self.config = self.base / "etc"
        for name in ("etc", "queue", "data", "mail"):
            (self.base / name).mkdir()
        shutil.chown(self.base / "data", "postfix")
        shutil.chown(self.base / "mail", "mail")
        boxes = ", ".join(f"{{ {who} = {who.split('@')[0]}/ }}" for who in KNOWN)
        (self.config / "main.cf").write_text(
            MAIN.format(
                base=self.base,
                programs=PROGRAMS,
                daemons=DAEMONS,
                boxes=boxes,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
            )
            + self._settings
        )
        (self.base / "maillog").touch()
        self.lines = FollowedFile(self.base / "maillog")
        self.port = start_on_free_port(self._start_on)

    def _start_on(self, port):
        (self.config / "master.cf").write_text(MASTER.format(port=port, smtpd=self._smtpd) + self._services)
        seen = len(self.lines.lines)
        run = self._postfix("start")
        if run.returncode == 0:
            self._started = True
            self.lines.wait_for("daemon started", start=seen)
            return None
        # The reason goes to the log, unless it lies before the log is open.
        said = run.stderr or self.lines.wait_for("fatal: .*", start=seen)[0]
        return f"postfix start: {said}"

    def _postfix(self, command):
        return subprocess.run(
            [PROGRAMS / "postfix", "-c", self.config, command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            # Postfix's scripts look for its tools there, and a bare PATH may lack it.
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
        )

    def _stop(self):
        if self._started:
            # It waits until the last of its processes is gone.
            self._postfix("stop").check_returncode()
        if self.lines:
            self.lines.close()
        if self.base:
            shutil.rmtree(self.base)

    def mail(self, recipient, count=1):
        """The messages delivered to `recipient`, in order of arrival; waits until `count` are there.

        The log line comes after the file is complete: its rename into new/ happened before.
        """
        self.lines.wait_for(rf"to=<{recipient}>.* status=sent", count)
        return maildir.messages(self.base / "mail" / recipient.split("@")[0])

    def environment(self):
        """For Postfix's own tools, which want a configuration even when they need none."""
        return os.environ | {"MAIL_CONFIG": str(self.config)}


def without_stamps(message):
    """`message` (octets) less the headers that Postfix stamps above the client's own.

    Only those at the very top: a Received that the client sent is part of the mail. Folded lines
    go with the header that they continue.
    """
    lines = message.split(b"\n")
    at = 0
    top = True
    received = False
    while at < len(lines) and top:
        name = lines[at].lower()
        if name.startswith(b"received:") and not received:
            received = True
        elif not name.startswith(STAMPS[:3]):
            break
        at += 1
        while at < len(lines) and lines[at][:1] in (b" ", b"\t"):
            at += 1
    return b"\n".join(lines[at:])
