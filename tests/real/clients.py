"""Real mail clients, each sending one message to a port of this machine.

A client is a function (port, message, recipients, folder): `message` in octets with LF line ends,
all its headers there, `folder` for files that it needs. It raises when the client fails.
"""

import os
import smtplib
import subprocess
from pathlib import Path

from follow import DEADLINE

SENDER = "alice@example.com"
SSMTP = Path(__file__).resolve().parents[2] / "build/ssmtp/usr/sbin/ssmtp"


def run(command, folder, stdin=b""):
    """Runs `command` with nothing of this user's own configuration in its way."""
    home = {"HOME": str(folder), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [str(word) for word in command],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=home,
        timeout=DEADLINE,
    )
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} exited {done.returncode}: {done.stdout.decode()}")


def swaks(port, message, recipients, folder):
    """Perl; waits for each reply; one EHLO, then HELO only if refused."""
    (folder / "message").write_bytes(message)
    command = ["swaks", "--server", "127.0.0.1", "--port", port, "--ehlo", "client.example"]
    command += ["--from", SENDER, "--to", ",".join(recipients), "--data", "@message"]
    run(command, folder)


def swaks_pipelining(port, message, recipients, folder):
    """The same with MAIL, RCPT and DATA in one write."""
    (folder / "message").write_bytes(message)
    command = ["swaks", "--server", "127.0.0.1", "--port", port, "--ehlo", "client.example"]
    command += ["--from", SENDER, "--to", ",".join(recipients), "--data", "@message", "--pipeline"]
    run(command, folder)


def msmtp(port, message, recipients, folder):
    (folder / "msmtprc").write_text(
        f"defaults\nauth off\ntls off\nsyslog off\naccount default\nhost 127.0.0.1\nport {port}\n"
        f"from {SENDER}\ndomain client.example\n"
    )
    (folder / "msmtprc").chmod(0o600)
    run(["msmtp", "-C", folder / "msmtprc", "--", *recipients], folder, message)


def curl(port, message, recipients, folder):
    # curl sends lines as they are: they have to be CRLF already.
    (folder / "message").write_bytes(message.replace(b"\n", b"\r\n"))
    command = ["curl", "--silent", "--show-error", f"smtp://127.0.0.1:{port}/client.example"]
    command += ["--mail-from", SENDER, "--upload-file", "message"]
    for recipient in recipients:
        command += ["--mail-rcpt", recipient]
    run(command, folder)


def curl_session(port, messages, recipients, folder):
    """Several messages on one connection, which curl keeps open between them."""
    command = ["curl"]
    for at, message in enumerate(messages):
        (folder / f"message-{at}").write_bytes(message.replace(b"\n", b"\r\n"))
        command += ["--next"] if at > 0 else []
        command += ["--silent", "--show-error", f"smtp://127.0.0.1:{port}/client.example"]
        command += ["--mail-from", SENDER, "--upload-file", f"message-{at}"]
        for recipient in recipients:
            command += ["--mail-rcpt", recipient]
    run(command, folder)


def python_smtplib(port, message, recipients, folder):
    with smtplib.SMTP("127.0.0.1", port, "client.example", DEADLINE) as client:
        # Octets are not touched by smtplib: LF would go out as a bare LF.
        client.sendmail(SENDER, recipients, message.replace(b"\n", b"\r\n"))


def python_smtplib_8bitmime(port, message, recipients, _folder):
    """Says that the message has octets above 127, as it must; the others send them unannounced."""
    with smtplib.SMTP("127.0.0.1", port, "client.example", DEADLINE) as client:
        crlf = message.replace(b"\n", b"\r\n")
        client.sendmail(SENDER, recipients, crlf, mail_options=["BODY=8BITMIME"])


def python_smtplib_session(port, messages, recipients, _folder):
    """Several messages on one connection, from a client that has no name but its address."""
    with smtplib.SMTP("127.0.0.1", port, "[127.0.0.1]", DEADLINE) as client:
        for message in messages:
            client.sendmail(SENDER, recipients, message.replace(b"\n", b"\r\n"))


def ssmtp_configuration(port, folder):
    (folder / "ssmtp.conf").write_text(
        f"mailhub=127.0.0.1:{port}\nhostname=client.example\nFromLineOverride=YES\n"
        "UseTLS=NO\nUseSTARTTLS=NO\n"
    )
    return folder / "ssmtp.conf"


def ssmtp(port, message, recipients, folder):
    """sSMTP 2.64 itself. It waits a second before the dot, and stamps a Received of its own."""
    run([SSMTP, "-C", ssmtp_configuration(port, folder), "-f", SENDER, *recipients], folder, message)


def mutt_with_ssmtp(port, message, recipients, folder):
    """mutt, which hands the mail to sSMTP: the pair that the origin story is about.

    mutt makes the message itself; of `message` it takes subject and body.
    """
    head, body = message.split(b"\n\n", 1)
    subject = next(line[9:] for line in head.split(b"\n") if line.startswith(b"Subject: "))
    (folder / "muttrc").write_text(
        f'set sendmail="{SSMTP} -C {ssmtp_configuration(port, folder)}"\n'
        f'set from="{SENDER}"\nset use_envelope_from\nset envelope_from_address="{SENDER}"\n'
        "set realname=Alice\nset copy=no\nset hostname=client.example\n"
        # Without this mutt does not tell whether sSMTP succeeded.
        "set sendmail_wait=0\n"
    )
    command = ["mutt", "-n", "-F", folder / "muttrc", "-s", subject.decode(), "--", *recipients]
    run(command, folder, body)


# Those that send a message as it is given to them.
FAITHFUL = {
    "swaks": swaks,
    "swaks --pipeline": swaks_pipelining,
    "msmtp": msmtp,
    "curl": curl,
    "smtplib": python_smtplib,
}

# Those that send several messages in one session: (port, messages, recipients, folder).
SEVERAL = {"curl": curl_session, "smtplib": python_smtplib_session}


def as_sent_by(client, message):
    """What a faithful client makes of `message`."""
    if client in (swaks, swaks_pipelining):
        # It takes a lone dot in the last line for the end of the mail, else adds an empty line.
        return message[:-2] if message.endswith(b"\n.\n") else message + b"\n"
    return message
