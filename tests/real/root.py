"""The servers insist on being started by root."""

import os
import sys


def become_root():
    """Starts this program again under sudo where it is not root's already."""
    # The servers drop root's rights, and must still find their way through what the test makes.
    os.umask(0o022)
    if os.geteuid() == 0:
        return
    kept = [f"SMTPSCOPE={os.environ.get('SMTPSCOPE', '')}", f"PATH={os.environ['PATH']}"]
    try:
        os.execvp("sudo", ["sudo", "-n", "env", *kept, sys.executable, "-B", *sys.argv])
    except FileNotFoundError:
        sys.exit("this test starts a mail server: run it as root (there is no sudo)")
