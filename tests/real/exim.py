"""A private Exim: its own tree, configuration, spool and port, gone when the test ends."""

import smtplib

import maildir
from follow import DEADLINE, FollowedFile, Lines
from postfix import KNOWN
from server import Server, start_on_free_port
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


class Exim(Server):
    """`lines` follows the main log; `port` takes SMTP. `debug` is what -d it is started with, `queue`
    how often its queue is run ("2s"): not at all, if not given."""

    config = CONFIG
    tree = None
    lines = None
    _process = None

    def __init__(self, debug=None, queue=None):
        self._options = ([debug] if debug else []) + ([f"-q{queue}"] if queue else [])

    def _start(self):
        self.tree = Tree("exim4-daemon-light", ("Debian-exim",))
        for folder in ("/mail", "/run/exim4", "/var/log/exim4", "/var/spool/exim4"):
            self.tree.folder(folder, "Debian-exim")
        # Following a file that is not there yet would cost a second.
        self.tree.write("/var/log/exim4/mainlog", "", "Debian-exim")
        self.lines = FollowedFile(self.tree.inside("/var/log/exim4/mainlog"))
        self.port = start_on_free_port(self._start_on)
        # It makes a certificate first, which takes up to seconds, whether used or not.
        smtplib.SMTP("127.0.0.1", self.port, timeout=DEADLINE).quit()

    def _start_on(self, port):
        local_parts = " : ".join(who.split("@")[0] for who in KNOWN)
        self.tree.write("/etc/exim4/exim4.conf", self.config.format(port=port, known=local_parts))
        # The daemon would tell nobody of a fault in its configuration.
        self.tree.run("/usr/sbin/exim4", "-bV")
        seen = len(self.lines.lines)
        self._process = self.tree.start("/usr/sbin/exim4", "-bdf", *self._options)
        self._said = Lines(self._process.stdout, "exim")
        # It says so when it listens, or why it cannot.
        found = self.lines.wait_for("listening for SMTP|socket bind.* failed: .*", start=seen)
        if found[0] == "listening for SMTP":
            return None
        self._end_process()
        return f"exim: {found[0]}"

    def _end_process(self):
        process, self._process = self._process, None
        end(process, self._said)

    def _stop(self):
        if self._process:
            self._end_process()
        if self.lines:
            self.lines.close()
        if self.tree:
            self.tree.remove()

    def debug_lines(self, pattern, count):
        """What it has printed, as octets, when `pattern` has come `count` times."""
        self._said.wait_for(pattern, count)
        return "".join(f"{line}\n" for line in self._said.lines).encode()

    def mail(self, recipient, count=1):
        """The messages delivered to `recipient`, in order; waits until `count` are there."""
        local_part = recipient.split("@")[0]
        self.lines.wait_for(rf" => {local_part} <{recipient}> ", count)
        return maildir.messages(self.tree.inside(f"/mail/{local_part}"))
