"""A private Exim: its own tree, configuration, spool and port, gone when the test ends."""

import smtplib

import maildir
from follow import DEADLINE, FollowedFile, Lines, free_port
from postfix import KNOWN
from tree import Tree, end

CONFIG = """\
primary_hostname = mx.smtpscope.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
daemon_startup_retries = 0
domainlist local_domains = example.net
acl_smtp_rcpt = recipient
tls_advertise_hosts =
message_size_limit = 0
keep_environment =
# Nobody here has to become another user, so the program needs no set-id bit.
deliver_drop_privilege
log_selector = +smtp_connection

begin acl
recipient:
  require message = No such user
          domains = +local_domains
          verify = recipient
  accept

begin routers
known:
  driver = accept
  domains = +local_domains
  local_parts = {known}
  transport = folder

begin transports
folder:
  driver = appendfile
  maildir_format
  directory = /mail/$local_part_data
"""


class Exim:
    """Started by `with`, stopped at its end. `lines` follows the main log; `port` takes SMTP."""

    def __enter__(self):
        self.tree = Tree("exim4-daemon-light", ("Debian-exim",))
        self.lines = None
        self._process = None
        self._said = None
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        for folder in ("/mail", "/run/exim4", "/var/log/exim4", "/var/spool/exim4"):
            self.tree.folder(folder, "Debian-exim")
        # Following a file that is not there yet would cost a second.
        self.tree.write("/var/log/exim4/mainlog", "", "Debian-exim")
        self.lines = FollowedFile(self.tree.inside("/var/log/exim4/mainlog"))
        local_parts = " : ".join(who.split("@")[0] for who in KNOWN)
        # Exim must be told its port; somebody else may take it before it listens.
        for _ in range(10):
            self.port = free_port()
            config = CONFIG.format(port=self.port, known=local_parts)
            self.tree.write("/etc/exim4/exim4.conf", config)
            # The daemon would tell nobody of a fault in its configuration.
            self.tree.run("/usr/sbin/exim4", "-bV")
            seen = len(self.lines.lines)
            self._process = self.tree.start("/usr/sbin/exim4", "-bdf")
            self._said = Lines(self._process.stdout, "exim")
            # It says so when it listens, or why it cannot.
            found = self.lines.wait_for("listening for SMTP|socket bind.* failed: .*", start=seen)
            if found[0] == "listening for SMTP":
                # It makes a certificate first, which takes up to seconds, whether used or not.
                smtplib.SMTP("127.0.0.1", self.port, timeout=DEADLINE).quit()
                return
            self._stop()
            if "in use" not in found[0]:
                raise AssertionError(f"exim: {found[0]}")
        raise AssertionError("Exim found no free port")

    def _stop(self):
        process, self._process = self._process, None
        end(process, self._said)

    def __exit__(self, *_):
        if self._process:
            self._stop()
        if self.lines:
            self.lines.close()
        self.tree.remove()

    def mail(self, recipient, count=1):
        """The messages delivered to `recipient`, in order; waits until `count` are there."""
        local_part = recipient.split("@")[0]
        self.lines.wait_for(rf" => {local_part} <{recipient}> ", count)
        return maildir.messages(self.tree.inside(f"/mail/{local_part}"))
