"""A private OpenSMTPD: its own tree, configuration, spool and port, gone when the test ends."""

import maildir
from follow import Lines
from postfix import KNOWN
from server import Server, start_on_free_port
from tree import Tree, end

CONFIG = """\
listen on 127.0.0.1 port {port} hostname mx.smtpscope.test
action "folder" maildir "/home/%{{user.username}}/mail"
match from any for domain "example.net" action "folder"
"""


class OpenSmtpd(Server):
    """`lines` follows its log; `port` takes SMTP."""

    tree = None
    lines = None
    _process = None

    def __init__(self, *options):
        self._options = options

    def _start(self):
        # The users that its processes become, those that have mail; the shell runs the deliveries.
        users = ["opensmtpd", "opensmtpq"] + [who.split("@")[0] for who in KNOWN]
        self.tree = Tree("opensmtpd", users, extra=["/bin/sh"])
        self.tree.folder("/var/lib/opensmtpd/empty")
        self.tree.folder("/var/run")
        self.tree.folder("/var/spool/smtpd", mode=0o711)
        self.port = start_on_free_port(self._start_on)

    def _start_on(self, port):
        self.tree.write("/etc/smtpd.conf", CONFIG.format(port=port))
        self._process = self.tree.start("/usr/sbin/smtpd", "-d", "-v", *self._options)
        self.lines = Lines(self._process.stdout, "smtpd")
        # The first comes after it listens, the second when the port is taken.
        found = self.lines.wait_for("smtp: will accept|bind: .*")
        if found[0] == "smtp: will accept":
            return None
        self._end_process()
        return f"smtpd: {found[0]}"

    def _end_process(self):
        process, self._process = self._process, None
        end(process, self.lines)

    def _stop(self):
        if self._process:
            self._end_process()
        if self.tree:
            self.tree.remove()

    def mail(self, recipient, count=1):
        """The messages delivered to `recipient`, in order; waits until `count` are there."""
        local_part = recipient.split("@")[0]
        self.lines.wait_for(rf"mda delivery .* rcpt=<{recipient}> .*result=Ok", count)
        return maildir.messages(self.tree.inside(f"/home/{local_part}/mail"))
