"""Sendmail as a client, in a tree of its own: what it prints with -v is the dialogue with its relay."""

import socket

from tree import BUILD, Tree

# Everything goes to 127.0.0.1, at the port that the macro P has. Rules are parted by tabs.
CONFIG = """\
V10/Berkeley
Djclient.example
DnMAILER-DAEMON
O QueueDirectory=/queue
O DeliveryMode=interactive
O DontProbeInterfaces=True
O HostsFile=/etc/hosts
O ServiceSwitchFile=/switch
Troot
H?F?From: <$g>
Scanonify=3
R$* < $* > $*\t$@ $2
R$*\t$@ $1
Sfinal=4
Sparse=0
R$*\t$#relay $@ [127.0.0.1] $: $1
Mlocal, P=/bin/false, F=lsDFM, A=false $u
Mprog, P=/bin/false, F=lsDFM, A=false $u
Mrelay, P=[IPC], F=mDFMuX, E=\\r\\n, L=990, T=DNS/RFC822/SMTP, A=TCP $h $P
"""


class Sendmail:
    """By `with`. `command` sends standard input, with {port} in it for the port of its relay."""

    @staticmethod
    def missing():
        """Why it cannot be run; "" if it can."""
        if (BUILD / "sendmail-bin").is_dir():
            return ""
        return f"{BUILD / 'sendmail-bin'} is not there; dpkg -x of Debian's sendmail-bin makes it"

    def __enter__(self):
        self._tree = Tree("sendmail-bin", (), only=("sendmail",))
        try:
            self._tree.folder("/queue", mode=0o700)
            self._tree.write("/sendmail.cf", CONFIG)
            self._tree.write("/switch", "hosts files\n")
            # A machine whose name has no dot would be waited for.
            name = socket.gethostname()
            self._tree.write("/etc/hosts", f"127.0.0.1 {name}.example {name} localhost\n")
        except BaseException:
            self._tree.remove()
            raise
        return self

    def __exit__(self, *_):
        self._tree.remove()

    def command(self, sender, recipients):
        return ["/usr/sbin/chroot", self._tree.root, "/usr/libexec/sendmail/sendmail", "-C", "/sendmail.cf",
                "-MP{port}", "-v", "-oi", "-f", sender, "--", *recipients]
