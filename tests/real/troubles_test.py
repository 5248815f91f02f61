"""Real programs in trouble, and what the first line of the verdict says of it."""

import os
import smtplib
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import root
from dovecot import Dovecot
from exim import CONFIG as EXIM_CONFIG
from exim import Exim
from follow import DEADLINE, free_port
from opensmtpd import OpenSmtpd
from postfix import Postfix
from smtpscope import Proxy, sessions

SENDER = "alice@example.com"
BOB = "bob@example.net"
# To read the lines themselves: SMTPSCOPE_TELL=1.
TELL = "SMTPSCOPE_TELL" in os.environ
TEXT = "From: alice@example.com\r\nTo: bob@example.net\r\nSubject: x\r\n\r\nhello\r\n"
# The proxy's address, which is that of all clients, is not to be spared.
NO_EXCEPTIONS = {"smtpd_client_event_limit_exceptions": ""}


class Policy:
    """A policy server of Postfix (SMTPD_POLICY_README) that always says the same, after a while."""

    def __init__(self, action, delay=0.0):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    if line == b"\n":
                        time.sleep(delay)
                        self.wfile.write(f"action={action}\n\n".encode())

        class TcpServer(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = TcpServer(("127.0.0.1", 0), Handler)
        self.settings = {
            "smtpd_recipient_restrictions": "check_policy_service "
            f"inet:127.0.0.1:{self._server.server_address[1]}"
        }

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def send(port, recipients=(BOB,), text=TEXT, sender=SENDER, name="client.example", timeout=DEADLINE):
    """By Python's smtplib, which gives up at the first refusal that leaves nobody."""
    try:
        with smtplib.SMTP("127.0.0.1", port, local_hostname=name, timeout=timeout) as client:
            client.sendmail(sender, list(recipients), text)
    except (smtplib.SMTPException, OSError):
        pass


def swaks(port, *options):
    command = ["swaks", "--server", "127.0.0.1", "--port", str(port), "--ehlo", "client.example"]
    command += ["--from", SENDER, "--to", BOB, *options]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False)


def msmtp(port, folder, tls="tls off", to=BOB):
    configuration = folder / "msmtprc"
    configuration.write_text(f"defaults\nauth off\n{tls}\nsyslog off\naccount default\nhost 127.0.0.1\n"
                             f"port {port}\nfrom {SENDER}\ndomain client.example\n")
    configuration.chmod(0o600)
    subprocess.run(["msmtp", "-C", configuration, to], input=TEXT.encode(), capture_output=True,
                   timeout=DEADLINE, check=False)


def s_nail(port, to):
    command = ["s-nail", "-:/", "-Sv15-compat", "-S", f"mta=smtp://127.0.0.1:{port}",
               "-Ssmtp-auth=none", "-Shostname=client.example",
               "-r", SENDER, "-s", "x", to]
    subprocess.run(command, input=b"hello\n", capture_output=True, timeout=DEADLINE, check=False)


def curl_mail(port, folder, to):
    (folder / "mail").write_text(TEXT, newline="")
    curl(f"smtp://127.0.0.1:{port}/client.example", "--mail-from", SENDER, "--mail-rcpt", to,
         "--upload-file", folder / "mail")


def curl(*options):
    subprocess.run(["curl", "-s", "-m", "10", *options], stdin=subprocess.DEVNULL,
                   capture_output=True, timeout=DEADLINE, check=False)


def lines(port, *octets):
    """What a program says that does not look at the replies' codes."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        client.settimeout(DEADLINE)
        client.recv(1000)
        for each in octets:
            client.sendall(each)
            client.recv(4000)


class PostfixWithPorts(Postfix):
    """One Postfix with a port for each trouble: `ports` has them by name. Starting is what takes long."""

    def __init__(self, settings_by_name):
        super().__init__()
        self._settings_by_name = settings_by_name

    def _start_on(self, port):
        self.ports = {name: free_port() for name in self._settings_by_name}
        self._services = FILTERING_CLEANUP
        for name, settings in self._settings_by_name.items():
            self._services += f"127.0.0.1:{self.ports[name]} inet n - n - - smtpd\n"
            for setting, value in settings.items():
                self._services += f"  -o {{ {setting} = {value} }}\n"
        return super()._start_on(port)


FILTERING_CLEANUP = """\
cleanup-filtering unix n - n - 0 cleanup
  -o { header_checks = static:{ REJECT this message looks like spam } }
"""


class EximWithTroubles(Exim):
    """Whom a mail is for decides what becomes of it."""

    config = EXIM_CONFIG.replace("acl_smtp_rcpt = recipient\n", """\
acl_smtp_rcpt = recipient
acl_smtp_data = content
""").replace("""\
  require message = No such user
""", """\
  deny    message = relay not permitted
          !domains = +local_domains
  defer   message = Greylisted, please try again later
          local_parts = carol
  accept  local_parts = dave
          delay = 4s
  require message = No such user
""").replace("begin routers", """\
content:
  deny    message = This message contains malware (Eicar-Signature)
          condition = ${{if match{{$message_body}}{{EICAR}}}}
  deny    message = Message headers fail syntax check
          !verify = header_syntax
  accept

begin routers""")


def without_a_program():
    """Of a port where nobody listens: a milter that is gone, a server that is down."""
    return f"127.0.0.1:{free_port()}"


def postfix_settings(greylisting, slow):
    """By the name of the trouble that they make."""
    return {
        "plain": {},
        "greylisting": greylisting.settings,
        "slow": slow.settings,
        "no relay": {"mynetworks": "", "smtpd_relay_restrictions": "reject_unauth_destination"},
        "small messages": {"message_size_limit": "2000"},
        "names": {
            "smtpd_helo_required": "yes",
            "smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname",
        },
        "names at EHLO": {
            "smtpd_delay_reject": "no",
            "smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname",
        },
        "sender": {
            "smtpd_sender_restrictions": "check_sender_access inline:"
            "{ { alice@example.com = REJECT Sender address is blacklisted here } }"
        },
        "client": {
            "smtpd_client_restrictions": "check_client_access static:"
            "{ REJECT Your address is listed in our blocklist }"
        },
        "sender's domain": {"smtpd_sender_restrictions": "reject_non_fqdn_sender"},
        "disk": {"queue_minfree": "900000000000000"},
        "filter": {"cleanup_service_name": "cleanup-filtering"},
        "rate": NO_EXCEPTIONS | {"smtpd_client_message_rate_limit": "1"},
        "connections": NO_EXCEPTIONS | {"smtpd_client_connection_count_limit": "1"},
        "recipients": {"smtpd_recipient_limit": "1"},
        "errors": {"smtpd_hard_error_limit": "3", "smtpd_error_sleep_time": "0"},
        "milter": {
            "smtpd_milters": f"inet:{without_a_program()}",
            "milter_default_action": "tempfail",
        },
        "bare LF": NO_EXCEPTIONS
        | {"smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_exclusions": ""},
        "pipelining": {
            "smtpd_forbid_unauth_pipelining": "yes",
            "smtpd_discard_ehlo_keywords": "pipelining",
        },
        "header": {"smtpd_upstream_proxy_protocol": "haproxy", "smtpd_upstream_proxy_timeout": "2s"},
    }


class Troubles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        greylisting = Policy("DEFER_IF_PERMIT Greylisted, please try again later")
        slow = Policy("DUNNO", delay=4.0)
        for policy in (greylisting, slow):
            cls.enterClassContext(policy)
        cls.postfix = cls.enterClassContext(PostfixWithPorts(postfix_settings(greylisting, slow)))
        cls.exim = cls.enterClassContext(EximWithTroubles())
        cls.opensmtpd = cls.enterClassContext(OpenSmtpd())
        cls.dovecot = cls.enterClassContext(Dovecot())

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def first_line(self, trouble, act):
        """Of the last session of a run in front of the Postfix that makes this trouble."""
        return self.first_line_of(self.postfix.ports[trouble], act)

    def first_line_of(self, port, act):
        upstream = port if isinstance(port, str) else f"127.0.0.1:{port}"
        with Proxy(upstream, self.folder) as proxy:
            act(proxy.port)
            proxy.finish()
        lead = sessions(proxy.capture)[-1].fields["end"]["verdict"][0]
        if TELL:
            print(f"{self.id().rsplit('.', 1)[1]}: {lead['text']}", flush=True)
        return lead

    def assert_cause(self, lead, cause, words):
        """The server's reason may be the cause; a cause may have a reason besides."""
        self.assertIn(cause, (lead.get("cause"), lead.get("reason")), lead["text"])
        self.assertIn(words, lead["text"])

    def test_greylisting(self):
        lead = self.first_line("greylisting", swaks)
        self.assert_cause(lead, "greylisted", "greylist")

    def test_an_unknown_recipient(self):
        lead = self.first_line("plain", lambda port: send(port, ["nobody@example.net"]))
        self.assert_cause(lead, "recipient-unknown", "does not exist")

    def test_a_relay_that_is_none(self):
        lead = self.first_line("no relay", lambda port: send(port, ["someone@elsewhere.example"]))
        self.assert_cause(lead, "relay-denied", "relay")

    def test_a_message_that_is_too_large(self):
        large = TEXT + "x" * 70 + "\r\n" + "line\r\n" * 900
        lead = self.first_line("small messages", lambda port: send(port, text=large))
        self.assert_cause(lead, "message-too-large", "too large")

    def test_a_name_that_is_refused(self):
        lead = self.first_line("names", lambda port: send(port, name="my_pc"))
        self.assert_cause(lead, "client-name-rejected", "HELO")

    def test_a_name_that_is_refused_at_once(self):
        lead = self.first_line("names at EHLO", lambda port: send(port, name="my_pc"))
        self.assert_cause(lead, "client-name-rejected", "HELO")

    def test_a_sender_on_a_list(self):
        lead = self.first_line("sender", swaks)
        self.assert_cause(lead, "sender-blocked", "refused")

    def test_a_client_on_a_list(self):
        lead = self.first_line("client", swaks)
        self.assert_cause(lead, "client-blocklisted", "block list")

    def test_a_sender_without_a_domain(self):
        lead = self.first_line("sender's domain", lambda port: send(port, sender="alice"))
        self.assert_cause(lead, "protocol-error", "address")

    def test_a_disk_without_room(self):
        lead = self.first_line("disk", swaks)
        self.assert_cause(lead, "server-full", "disk")

    def test_a_filter_of_headers(self):
        lead = self.first_line("filter", swaks)
        self.assert_cause(lead, "content-spam", "spam")

    def test_too_much_mail_in_a_time(self):
        def twice(port):
            send(port)
            send(port)

        lead = self.first_line("rate", twice)
        self.assert_cause(lead, "rate-limited", "refused")

    def test_connections_that_are_counted_by_address(self):
        def both(port):
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as other:
                other.recv(1000)
                send(port)

        lead = self.first_line("connections", both)
        self.assert_cause(lead, "too-many-connections", "connections")

    def test_too_many_recipients(self):
        lead = self.first_line("recipients", lambda port: send(port, [BOB, "carol@example.net"]))
        self.assert_cause(lead, "too-many-recipients", "recipients")

    def test_errors_until_the_server_hangs_up(self):
        def wrong(port):
            lines(port, b"EHLO c.example\r\n", b"FOO\r\n", b"BAR\r\n", b"BAZ\r\n")

        lead = self.first_line("errors", wrong)
        self.assert_cause(lead, "errors-until-hung-up", "too many errors")

    def test_a_client_without_patience(self):
        lead = self.first_line("slow", lambda port: send(port, timeout=2))
        self.assert_cause(lead, "client-gave-up-waiting", "RCPT")

    def test_a_login_that_is_not_offered(self):
        lead = self.first_line("plain", lambda port: swaks(port, "--auth", "--auth-user", "u",
                                                           "--auth-password", "p"))
        self.assert_cause(lead, "left-after-ehlo", "neither STARTTLS nor a login")

    def test_encryption_that_is_not_offered(self):
        lead = self.first_line("plain", lambda port: msmtp(port, self.folder, "tls on"))
        self.assert_cause(lead, "left-after-ehlo", "neither STARTTLS nor a login")

    def test_tls_to_a_port_in_the_clear(self):
        lead = self.first_line("plain", lambda port: curl("-k", f"smtps://127.0.0.1:{port}"))
        self.assert_cause(lead, "tls-on-clear-port", "TLS")

    def test_a_browser(self):
        lead = self.first_line("plain", lambda port: curl(f"http://127.0.0.1:{port}/"))
        self.assert_cause(lead, "not-smtp", "HTTP")

    def test_a_server_that_does_not_listen(self):
        lead = self.first_line_of(without_a_program(), send)
        self.assert_cause(lead, "server-not-listening", "no message: ")

    def test_a_filter_that_is_gone(self):
        lead = self.first_line("milter", swaks)
        self.assert_cause(lead, "upstream-trouble", "refused")

    def test_lines_that_end_in_lf(self):
        lead = self.first_line("bare LF", lambda port: lines(
            port, b"EHLO c.example\r\n", f"MAIL FROM:<{SENDER}>\r\n".encode(),
            f"RCPT TO:<{BOB}>\r\n".encode(), b"DATA\r\n", b"Subject: x\n\nhello\r\n.\r\n"))
        self.assert_cause(lead, "bare-lf-refused", "bare LF")

    def test_a_whole_dialogue_at_once(self):
        lead = self.first_line("pipelining", lambda port: lines(
            port, b"EHLO c.example\r\n" + f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{BOB}>\r\n".encode()))
        self.assert_cause(lead, "pipelining-punished", "did not wait")

    def test_a_health_check(self):
        lead = self.first_line("plain", lambda port: lines(port))
        self.assert_cause(lead, "connected-and-left", "health check")

    def test_a_recipient_that_exim_does_not_know(self):
        lead = self.first_line_of(self.exim.port, lambda port: msmtp(port, self.folder,
                                                                    to="nobody@example.net"))
        self.assert_cause(lead, "recipient-unknown", "does not exist")

    def test_a_relay_that_exim_is_not(self):
        lead = self.first_line_of(self.exim.port, lambda port: curl_mail(
            port, self.folder, "someone@elsewhere.example"))
        self.assert_cause(lead, "relay-denied", "relay")

    def test_greylisting_by_exim(self):
        lead = self.first_line_of(self.exim.port, lambda port: curl_mail(
            port, self.folder, "carol@example.net"))
        self.assert_cause(lead, "greylisted", "greylist")

    def test_a_recipient_that_takes_long(self):
        lead = self.first_line_of(self.exim.port, lambda port: s_nail(port, "dave@example.net"))
        self.assert_cause(lead, "server-slow-step", "RCPT")

    def test_a_virus(self):
        lead = self.first_line_of(self.exim.port, lambda port: send(port, text=TEXT + "EICAR\r\n"))
        self.assert_cause(lead, "content-virus", "malware")

    def test_a_header_that_exim_cannot_read(self):
        odd = TEXT.replace("To: bob@example.net", "To: bob@@example.net <")
        lead = self.first_line_of(self.exim.port, lambda port: send(port, text=odd))
        self.assert_cause(lead, "content-malformed", "formed")

    def test_a_name_that_exim_cannot_read(self):
        lead = self.first_line_of(self.exim.port, lambda port: send(port, name="my_pc"))
        self.assert_cause(lead, "client-name-rejected", "HELO")

    def test_a_recipient_that_opensmtpd_does_not_know(self):
        lead = self.first_line_of(self.opensmtpd.port, lambda port: send(port, ["nobody@example.net"]))
        self.assert_cause(lead, "recipient-unknown", "does not exist")

    def test_smtp_to_a_server_of_lmtp(self):
        lead = self.first_line_of(f"unix:{self.dovecot.socket}", send)
        self.assert_cause(lead, "lmtp-mixed-up", "LMTP")

    def test_a_box_that_dovecot_does_not_know(self):
        lead = self.first_line_of(f"unix:{self.dovecot.socket}", lambda port: swaks(
            port, "--protocol", "LMTP", "--to", "nobody@example.net"))
        self.assert_cause(lead, "recipient-unknown", "does not exist")


if __name__ == "__main__":
    root.become_root()
    unittest.main(verbosity=2)
