#!/usr/bin/env python3
"""Sends one mail to two recipients with a real client, and exits with what the client reports.

usage: one_mail.py CLIENT HOST PORT FOLDER    for smtpscope check-client
       one_mail.py CLIENT --version

What stands here for a client is how its manual has it used, with its own time limits. A mail server
as a client has a queue: its run is over when the queue is empty, or when it has had QUEUE seconds.
"""

import os
import smtplib as smtp
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

SENDER = "alice@example.com"
RECIPIENTS = ["bob@example.net", "carol@example.net"]
MAIL = (f"From: {SENDER}\nTo: {', '.join(RECIPIENTS)}\nSubject: check\nMessage-ID: <check@example.com>\n"
        "Date: Mon, 30 Nov 2026 12:00:00 +0000\n\nOne mail.\n")
QUEUE = 45  # seconds that a queue is given, retried every two
NODE = Path(os.environ.get("NODEMAILER", "build/nodemailer"))


def said(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.strip().split("\n")[0]


def become(folder, command, stdin=MAIL):
    """Goes on as the client itself."""
    (folder / "stdin").write_text(stdin)
    descriptor = os.open(folder / "stdin", os.O_RDONLY)
    os.dup2(descriptor, 0)
    os.environ["HOME"] = str(folder)
    os.chdir(folder)
    os.execvp(command[0], [str(word) for word in command])


def msmtp(host, port, folder):
    become(folder, ["msmtp", "--file=/dev/null", f"--host={host}", f"--port={port}", f"--from={SENDER}",
                    "--domain=client.example", "--", *RECIPIENTS])


def curl(host, port, folder):
    (folder / "mail").write_bytes(MAIL.replace("\n", "\r\n").encode())
    to = [word for recipient in RECIPIENTS for word in ("--mail-rcpt", recipient)]
    become(folder, ["curl", "-sS", f"smtp://{host}:{port}/client.example", "--mail-from", SENDER, *to,
                    "--upload-file", folder / "mail"])


def swaks(host, port, folder):
    (folder / "mail").write_text(MAIL)
    become(folder, ["swaks", "--server", host, "--port", port, "--ehlo", "client.example", "--from", SENDER,
                    "--to", ",".join(RECIPIENTS), "--data", "@mail"])


def smtplib(host, port, folder):
    become(folder, [sys.executable, "-c", (
        "import smtplib, sys\n"
        f"with smtplib.SMTP('{host}', {port}, 'client.example') as client:\n"
        f"    client.sendmail('{SENDER}', {RECIPIENTS!r}, sys.stdin.read())\n")])


def nodemailer(host, port, folder):
    module = NODE.resolve() / "node_modules" / "nodemailer"
    become(folder, ["node", "-e", (
        f"require('{module}').createTransport({{host: '{host}', port: {port}, secure: false}})"
        f".sendMail({{from: '{SENDER}', to: {RECIPIENTS!r}, subject: 'check', text: 'One mail.',"
        " messageId: '<check@example.com>'}).catch(e => { console.error(e.message); process.exit(1) })")])


def phpmailer(host, port, folder):
    adds = "".join(f"$m->addAddress('{recipient}');" for recipient in RECIPIENTS)
    become(folder, ["php", "-r", (
        "require '/usr/share/php/libphp-phpmailer/autoload.php';"
        "$m = new PHPMailer\\PHPMailer\\PHPMailer(true); $m->isSMTP();"
        f"$m->Host = '{host}'; $m->Port = {port}; $m->setFrom('{SENDER}'); {adds}"
        "$m->Subject = 'check'; $m->Body = 'One mail.'; $m->send();")])


def wait_for_empty(queue):
    """0 once the queue is empty: all was delivered, or a notice of failure was. 75: it is not."""
    end = time.monotonic() + QUEUE
    while time.monotonic() < end:
        if queue():
            return 0
        time.sleep(0.5)
    return 75


def postfix(host, port, _folder):
    from postfix import Postfix, PROGRAMS
    settings = (f"relayhost = [{host}]:{port}\nminimal_backoff_time = 2s\nmaximal_backoff_time = 2s\n"
                "queue_run_delay = 2s\nvirtual_mailbox_domains =\nsmtp_host_lookup = native\n"
                "smtp_connection_cache_on_demand = no\n")
    with Postfix(settings) as server:
        subprocess.run([PROGRAMS / "sendmail", "-C", server.config, "-f", SENDER, *RECIPIENTS],
                       input=MAIL, text=True, env=server.environment(), check=True)

        def queue():
            listed = subprocess.run([PROGRAMS / "postqueue", "-c", server.config, "-j"],
                                    stdout=subprocess.PIPE, text=True, check=True)
            return not listed.stdout.strip()
        code = wait_for_empty(queue)
        print("\n".join(server.lines.lines))
        return code


EXIM = """\
begin routers
smarthost:
  driver = manualroute
  transport = smtp
  route_list = * {host}
  self = send
begin transports
smtp:
  driver = smtp
  port = {port}
begin retry
* * F,1h,2s
"""


def exim(host, port, _folder):
    from exim import CONFIG, Exim

    class Client(Exim):
        config = (CONFIG.split("begin acl")[0]
                  + "begin acl\nrecipient:\n  accept\n"
                  + EXIM.replace("{host}", host).replace("{port}", str(port))).replace(
                      "= example.net", "=")
    with Client(queue="2s") as server:
        with smtp.SMTP("127.0.0.1", server.port) as connection:
            connection.sendmail(SENDER, RECIPIENTS, MAIL)
        spool = server.tree.inside("/var/spool/exim4/input")
        code = wait_for_empty(lambda: not any(spool.rglob("*-H")))
        print(server.tree.inside("/var/log/exim4/mainlog").read_text())
        return code


def exim_version():
    from tree import Tree

    tree = Tree("exim4-daemon-light", ("Debian-exim",))
    try:
        said = tree.start("/usr/sbin/exim4", "-bV").communicate()[0].decode()
        return said.split("version ")[1].split()[0]
    finally:
        tree.remove()


CLIENTS = {
    "msmtp": (msmtp, lambda: said("msmtp", "--version").replace("msmtp version ", "")),
    "curl": (curl, lambda: said("curl", "--version").split()[1]),
    "swaks": (swaks, lambda: said("swaks", "--version").split()[-1]),
    "smtplib": (smtplib, lambda: "Python " + sys.version.split()[0]),
    "nodemailer": (nodemailer, lambda: said("node", "-p", (
        f"require('{NODE.resolve()}/node_modules/nodemailer/package.json').version"))),
    "PHPMailer": (phpmailer, lambda: said("php", "-r", (
        "require '/usr/share/php/libphp-phpmailer/autoload.php'; echo PHPMailer\\PHPMailer\\PHPMailer::VERSION;"))),
    "Exim": (exim, exim_version),
    "Postfix": (postfix, lambda: said("/usr/sbin/postconf", "-d", "-h", "mail_version")),
}


if __name__ == "__main__":
    client, version = CLIENTS[sys.argv[1]]
    if sys.argv[2] == "--version":
        print(version())
        sys.exit()
    sys.exit(client(sys.argv[2], sys.argv[3], Path(sys.argv[4])))
