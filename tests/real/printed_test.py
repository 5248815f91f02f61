"""What client programs print of a session, read as what went over the wire.

Each program sends through a proxy that records, and its own output is read, too: both timelines have the
same commands, the same replies, and the same outcomes.
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import clients
from follow import DEADLINE
from opensmtpd import OpenSmtpd
from postfix import Postfix
from root import become_root
from smtpscope import BINARY, Proxy

MESSAGE = "From: alice@example.com\nTo: bob@example.net\nSubject: figures\n\nFirst line.\n.dot\n250 is a number\n"

SMTPLIB = """
import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.example")
s.set_debuglevel(int(sys.argv[2]))
s.sendmail("alice@example.com", ["bob@example.net", "carol@example.net"], sys.argv[3])
s.docmd("NOOP")
s.quit()
"""
PERL = """
use Net::SMTP;
my $s = Net::SMTP->new("127.0.0.1", Port => $ARGV[0], Hello => "client.example", Debug => 1);
$s->mail("alice\\@example.com"); $s->to("bob\\@example.net"); $s->reset;
$s->mail("alice\\@example.com"); $s->to("bob\\@example.net");
$s->data; $s->datasend($ARGV[1]); $s->dataend; $s->quit;
"""
RUBY = """
require "net/smtp"
s = Net::SMTP.new("127.0.0.1", ARGV[0].to_i)
s.set_debug_output $stderr
s.start("client.example") { |c| c.send_message(ARGV[1], "alice@example.com", "bob@example.net") }
"""

PHPMAILER = """<?php
$folder = dirname(trim(shell_exec("dpkg -L libphp-phpmailer | grep /SMTP.php")));
foreach (["Exception", "SMTP", "PHPMailer"] as $part) require "$folder/$part.php";
$mail = new PHPMailer\\PHPMailer\\PHPMailer(true);
$mail->SMTPDebug = (int)$argv[2];
$mail->Debugoutput = $argv[3];
$mail->isSMTP();
$mail->Host = "127.0.0.1";
$mail->Port = (int)$argv[1];
$mail->SMTPAutoTLS = false;
$mail->Hostname = "client.example";
$mail->setFrom("alice@example.com");
$mail->addAddress("bob@example.net");
$mail->addAddress("carol@example.net");
$mail->Subject = "figures";
$mail->Body = "First line.\n.dot\n250 is a number\n";
$mail->send();
"""


def dialogue(path):
    """Of each session: commands, reply codes, outcomes."""
    shown = subprocess.run([BINARY, "show", "-f", "json", str(path)], capture_output=True, text=True,
                           timeout=DEADLINE)
    told = []
    for session in json.loads(shown.stdout)["sessions"]:
        entries = session["entries"]
        told.append({
            "commands": [e.get("verb") or e["text"] for e in entries if e["kind"] == "command"],
            "replies": [e["code"] for e in entries if e["kind"] == "reply"],
            "outcomes": [t["outcome"] for t in session.get("transactions", [])],
        })
    return told


class Comparing(unittest.TestCase):
    """One program, whose output is compared with the capture of the proxy that it sent through."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "message").write_text(MESSAGE)
        (self.folder / "crlf").write_bytes(MESSAGE.replace("\n", "\r\n").encode())

    def compare(self, command, lacks=0):
        """`lacks`: so many of the last commands, and their replies, are never printed."""
        self.runs = getattr(self, "runs", 0) + 1
        with Proxy("sink", self.folder, capture=f"{self.runs}.smtpcap") as proxy:
            words = [str(word).replace("{port}", str(proxy.port)) for word in command]
            home = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
            done = subprocess.run(words, input=MESSAGE.encode(), stdout=subprocess.PIPE, env=home,
                                  stderr=subprocess.STDOUT, cwd=self.folder, timeout=DEADLINE)
            self.assertEqual(done.returncode, 0, done.stdout.decode())
            proxy.finish()
        (self.folder / "printed").write_bytes(done.stdout)
        wire, printed = dialogue(proxy.capture), dialogue(self.folder / "printed")
        if lacks:
            for session in wire:
                session["commands"] = session["commands"][:-lacks]
                session["replies"] = session["replies"][:-lacks]
        self.assertEqual(printed, wire, done.stdout.decode())
        self.assertIn("accepted", wire[0]["outcomes"])


class Printed(Comparing):
    def test_smtplib(self):
        for level in (1, 2):
            # The greeting comes before anything is printed.
            script = SMTPLIB.replace('smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local', "smtplib.SMTP(local")
            script = script.replace("s.sendmail", 's.connect("127.0.0.1", int(sys.argv[1]))\ns.sendmail')
            self.compare([sys.executable, "-c", script, "{port}", level, MESSAGE])

    def test_smtplib_from_behind_the_greeting(self):
        with Proxy("sink", self.folder) as proxy:
            done = subprocess.run([sys.executable, "-c", SMTPLIB, str(proxy.port), "1", MESSAGE],
                                  capture_output=True, timeout=DEADLINE, check=True)
            proxy.finish()
        (self.folder / "printed").write_bytes(done.stderr)
        (wire,), (printed,) = dialogue(proxy.capture), dialogue(self.folder / "printed")
        self.assertEqual(printed["commands"], wire["commands"])
        self.assertEqual(printed["replies"], wire["replies"][1:])

    def test_curl(self):
        # It says QUIT behind its last line.
        self.compare(["curl", "-v", "--no-progress-meter", "smtp://127.0.0.1:{port}/client.example", "--mail-from",
                      "alice@example.com", "--mail-rcpt", "bob@example.net", "-T", "crlf"], lacks=1)

    def test_msmtp(self):
        self.compare(["msmtp", "--debug", "--host=127.0.0.1", "--port={port}", "--tls=off", "--auth=off",
                      "--from=alice@example.com", "--domain=client.example", "bob@example.net"])

    def test_swaks(self):
        for more in ([], ["--pipeline"], ["--suppress-data"]):
            self.compare(["swaks", "--server", "127.0.0.1", "--port", "{port}", "--ehlo", "client.example",
                          "--from", "alice@example.com", "--to", "bob@example.net,carol@example.net",
                          "--data", "@message", *more])

    def test_perl(self):
        self.compare(["perl", "-e", PERL, "{port}", MESSAGE])

    def test_ruby(self):
        self.compare(["ruby", "-e", RUBY, "{port}", MESSAGE])

    def test_phpmailer(self):
        (self.folder / "mail.php").write_text(PHPMAILER)
        for level in (2, 3, 4):
            for output in ("echo", "html"):
                self.compare(["php", "-d", "display_errors=0", "mail.php", "{port}", level, output])

    def test_postfix_as_a_client(self):
        """smtp -v tells what it says to its relay."""
        with Proxy("sink", self.folder) as proxy:
            settings = f"relayhost = [127.0.0.1]:{proxy.port}\n"
            with Postfix(settings, "smtp unix - - n - - smtp -v\nrelay unix - - n - - smtp -v\n") as postfix:
                clients.swaks(postfix.port, MESSAGE.encode(), ["dave@elsewhere.example"], self.folder)
                postfix.lines.wait_for("status=sent")
                (self.folder / "maillog").write_bytes((postfix.base / "maillog").read_bytes())
            proxy.finish()
        (wire,), (*_, printed) = dialogue(proxy.capture), dialogue(self.folder / "maillog")
        # It does not wait for the reply to QUIT.
        wire["replies"] = wire["replies"][:len(printed["replies"])]
        self.assertEqual(printed, wire)
        self.assertEqual(printed["outcomes"], ["accepted"])

    def test_opensmtpd_as_a_server(self):
        with OpenSmtpd("-T", "smtp") as server:
            with Proxy(f"127.0.0.1:{server.port}", self.folder) as proxy:
                clients.swaks(proxy.port, MESSAGE.encode(), ["bob@example.net"], self.folder)
                clients.swaks_pipelining(proxy.port, MESSAGE.encode(), ["carol@example.net"], self.folder)
                proxy.finish()
            server.lines.wait_for("smtp disconnected", 2)
            (self.folder / "printed").write_text("".join(f"{line}\n" for line in server.lines.lines))
        self.assertEqual(dialogue(self.folder / "printed"), dialogue(proxy.capture))

    def test_s_nail(self):
        self.compare(["s-nail", "-n", "-vv", "-S", "v15-compat", "-S", "mta=smtp://127.0.0.1:{port}",
                      "-S", "smtp-auth=none", "-S", "hostname=client.example", "-S", "smtp-config=-starttls",
                      "-r", "alice@example.com", "-s", "figures", "bob@example.net"])


if __name__ == "__main__":
    become_root()
    unittest.main()
