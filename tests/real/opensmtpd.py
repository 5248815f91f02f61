"""A private OpenSMTPD: its own tree, configuration, spool and port, gone when the test ends."""

import maildir
from follow import Lines, free_port
from postfix import KNOWN
from tree import Tree, end

CONFIG = """\
listen on 127.0.0.1 port {port} hostname mx.smtpscope.test
action "folder" maildir "/home/%{{user.username}}/mail"
match from any for domain "example.net" action "folder"
"""


class OpenSmtpd:
    """Started by `with`, stopped at its end. `lines` follows its log; `port` takes SMTP."""

    def __enter__(self):
        # The users that its processes become, those that have mail; the shell runs the deliveries.
        users = ["opensmtpd", "opensmtpq"] + [who.split("@")[0] for who in KNOWN]
        self.tree = Tree("opensmtpd", users, extra=["/bin/sh"])
        self.lines = None
        self._process = None
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        self.tree.folder("/var/lib/opensmtpd/empty")
        self.tree.folder("/var/run")
        self.tree.folder("/var/spool/smtpd", mode=0o711)
        # OpenSMTPD must be told its port; somebody else may take it before it listens.
        for _ in range(10):
            self.port = free_port()
            self.tree.write("/etc/smtpd.conf", CONFIG.format(port=self.port))
            self._process = self.tree.start("/usr/sbin/smtpd", "-d", "-v")
            self.lines = Lines(self._process.stdout, "smtpd")
            # The first comes after it listens, the second when the port is taken.
            found = self.lines.wait_for("smtp: will accept|bind: .*")
            if found[0] == "smtp: will accept":
                return
            self._stop()
            if "in use" not in found[0]:
                raise AssertionError(f"smtpd: {found[0]}")
        raise AssertionError("OpenSMTPD found no free port")

    def _stop(self):
        process, self._process = self._process, None
        end(process, self.lines)

    def __exit__(self, *_):
        if self._process:
            self._stop()
        self.tree.remove()

    def mail(self, recipient, count=1):
        """The messages delivered to `recipient`, in order; waits until `count` are there."""
        local_part = recipient.split("@")[0]
        self.lines.wait_for(rf"mda delivery .* rcpt=<{recipient}> .*result=Ok", count)
        return maildir.messages(self.tree.inside(f"/home/{local_part}/mail"))
