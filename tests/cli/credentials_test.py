#!/usr/bin/env python3
"""No credential in any output: every mechanism, from every source, in every format.

The server repeats what it was sent, in clear and encoded. Each output is searched for the secrets in
clear and in base64, wherever their octets begin in it. How octets are cut into reads is the matter of
tests/capture/sanitizer_mask_test.cc."""

import base64
import hashlib
import random
import re
import unittest

from packets import Connection, Packets
from program import Capture, ProgramTest, run, told_by

USER = "mallory.fox"
PASSWORD = "Tr0ub4dor&3xk"
TOKEN = "ya29.A0ARrdaM-Secret_Token.Value77"
PROOF = "v0X8v3Bz2T0CJGbJQyF0XeHI4TsQz9a="
DIGEST = hashlib.md5(PASSWORD.encode()).hexdigest()
SECRETS = (PASSWORD, TOKEN, PROOF, DIGEST)


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def needles():
    """The secrets in clear, and the base64 that is sure to stand for their octets at each alignment."""
    found = set()
    for secret in SECRETS:
        found.add(secret)
        for before in range(3):
            encoded = b64(bytes(before) + secret.encode())
            first = -(-8 * before // 6)
            last = 8 * (before + len(secret)) // 6
            found.add(encoded[first:last])
    return found


NEEDLES = needles()

PLAIN = b64(f"\0{USER}\0{PASSWORD}")
BEARER = b64(f"user={USER}\1auth=Bearer {TOKEN}\1\1")
OAUTH = b64(f"n,a={USER},\1host=mx\1port=25\1auth=Bearer {TOKEN}\1\1")
CRAM = b64(f"{USER} {DIGEST}")
DIGEST_MD5 = b64(f'username="{USER}",realm="mx",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6",'
                 f'digest-uri="smtp/mx",response={DIGEST},qop=auth')
SCRAM_FIRST = b64(f"n,,n={USER},r=rOprNGfwEbeRWgbNEkqO")
SCRAM_LAST = b64(f"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTC,p={PROOF}")
NTLM = b64(b"NTLMSSP\0\3\0\0\0" + PASSWORD.encode())
GSSAPI = b64(b"\x60\x82\x01\x0b\x06\x09" + PASSWORD.encode() + b"\x01\x02\x03")


def login(command, *responses, challenges=()):
    """The client's lines, each but the last answered by a 334."""
    lines = [("C", command)]
    for number, response in enumerate(responses):
        challenge = challenges[number] if number < len(challenges) else "PDE4OTYuNjk3QG14Pg=="
        lines += [("S", f"334 {challenge}"), ("C", response)]
    return lines


PROMPTS = ("VXNlcm5hbWU6", "UGFzc3dvcmQ6")
LOGINS = {
    "PLAIN": login(f"AUTH PLAIN {PLAIN}"),
    "PLAIN, asked": login("AUTH PLAIN", PLAIN, challenges=("",)),
    "lower case": login(f"auth plain {PLAIN}"),
    "LOGIN": login("AUTH LOGIN", b64(USER), b64(PASSWORD), challenges=PROMPTS),
    "LOGIN with the name": login(f"AUTH LOGIN {b64(USER)}", b64(PASSWORD), challenges=PROMPTS[1:]),
    "CRAM-MD5": login("AUTH CRAM-MD5", CRAM),
    "DIGEST-MD5": login("AUTH DIGEST-MD5", DIGEST_MD5, ""),
    "NTLM": login("AUTH NTLM TlRMTVNTUAABAAAA", NTLM),
    "XOAUTH2": login(f"AUTH XOAUTH2 {BEARER}", ""),
    "OAUTHBEARER": login("AUTH OAUTHBEARER", OAUTH),
    "SCRAM-SHA-1": login(f"AUTH SCRAM-SHA-1 {SCRAM_FIRST}", SCRAM_LAST),
    "SCRAM-SHA-256": login("AUTH SCRAM-SHA-256", SCRAM_FIRST, SCRAM_LAST),
    "GSSAPI": login(f"AUTH GSSAPI {GSSAPI}", GSSAPI, ""),
    "EXTERNAL": login(f"AUTH EXTERNAL {b64(PASSWORD)}"),
    "X-EXPS": login("X-EXPS GSSAPI", GSSAPI),
    "unknown mechanism": login(f"AUTH X-KESTREL {PLAIN}", b64(PASSWORD)),
    "no mechanism": login(f"AUTH {PLAIN}"),
    "spelled together": login(f"AUTHPLAIN {PLAIN}"),
    "misspelled": login(f"ATUH PLAIN {PLAIN}"),
    "behind a byte order mark": login(f"\ufeffAUTH LOGIN {b64(USER)}", b64(PASSWORD)),
    "AUTH is not in the trace": login("", b64(USER), b64(PASSWORD), challenges=PROMPTS)[1:],
    "only the password is": [("S", f"334 {PROMPTS[1]}"), ("C", b64(PASSWORD))],
    "POP3": [("C", f"USER {USER}"), ("S", "500 what"), ("C", f"PASS {PASSWORD}")],
    "IMAP": [("C", f"a1 LOGIN {USER} {PASSWORD}")],
    "HTTP": [("C", f"Authorization: Basic {b64(f'{USER}:{PASSWORD}')}")],
    "BURL": [("C", f"BURL imap://{USER}@mx/o;uid=2;urlauth=submit+a:internal:{DIGEST} LAST")],
    "unasked responses": [("C", "AUTH LOGIN"), ("C", b64(USER)), ("C", b64(PASSWORD)), ("S", "504 no"),
                          ("S", "500 what")],
}


def decoded(word):
    try:
        return base64.b64decode(word + "=" * (-len(word) % 4)).decode("latin-1")
    except ValueError:
        return ""


def dialogue(lines):
    """A session with this login, whose server repeats all that it was told."""
    said = [("S", "220 mx ESMTP"), ("C", "EHLO client.example"), ("S", "250-mx"),
            ("S", "250 AUTH PLAIN LOGIN")] + lines
    sent = " ".join(text for side, text in lines if side == "C")
    clear = sent + " ".join(decoded(word) for word in sent.split())
    secret = next((each for each in SECRETS if each in clear), None)
    repeated = sent.split()[-1] if sent.split()[-1] != "LAST" else "it"
    said.append(("S", f"535-5.7.8 bad credentials: '{repeated}'"))
    # In a ticket nobody knows which octets are the secret.
    if secret and not any(form in sent for form in (GSSAPI, NTLM)):
        said.append(("S", f"535-5.7.8 that is, {secret}, or {b64('xy' + secret + 'z')}"))
    said += [("S", f"535 5.7.8 no {repeated}"), ("C", "NOOP"), ("S", f"250 still not {repeated[:24]}..."),
             ("C", "MAIL FROM:<a@client.example>"), ("S", "250 ok"), ("C", "QUIT"), ("S", "221 bye")]
    return said


def octets_of(text):
    """As a capture has them, a character each."""
    return text.encode().decode("latin-1")


def as_capture():
    capture = Capture()
    capture.lines[0] = capture.lines[0].replace('"masked"', '"kept"')
    for number, lines in enumerate(LOGINS.values(), 1):
        capture.open(number * 1000, number)
        for ms, (side, text) in enumerate(dialogue(lines)):
            say = capture.client if side == "C" else capture.server
            say(number * 1000 + ms + 1, number, octets_of(text) + "\r\n")
        capture.end(number * 1000 + 500, number)
    return capture.octets()


def in_pieces(sizes, spelled):
    """A capture whose reads have these sizes, with the words of the commands spelled in this way."""
    capture = Capture()
    for number, lines in enumerate(LOGINS.values(), 1):
        capture.open(number * 1000, number)
        for ms, (side, text) in enumerate(dialogue(lines)):
            say = capture.client if side == "C" else capture.server
            text = octets_of(text) + "\r\n"
            if side == "C" and " " in text:
                text = COMMAND.sub(lambda found: spelled(found[0]), text)
            while text:
                size = sizes()
                say(number * 1000 + ms + 1, number, text[:size])
                text = text[size:]
        capture.end(number * 1000 + 500, number)
    return capture.octets()


COMMAND = re.compile(r"(a1 )?(AUTHENTICATE|AUTH|X-EXPS|LOGIN|PASS|Authorization:|BURL)(?= )( [A-Z0-9-]{4,13}(?= ))?")


def as_octets_one_by_one():
    return in_pieces(lambda: 1, str.lower)


def as_reads_of_any_size():
    sizes = random.Random(1)
    return in_pieces(lambda: sizes.randint(1, 40), lambda word: word[0] + word[1:].swapcase())


def as_packets():
    packets = Packets()
    for number, lines in enumerate(LOGINS.values(), 1):
        connection = Connection(packets, client_port=40000 + number)
        for side, text in dialogue(lines):
            connection.send(0 if side == "C" else 1, Connection.ACK, (text + "\r\n").encode())
        connection.close()
    return packets.octets


def as_postfix():
    out = []
    for number, lines in enumerate(LOGINS.values(), 1):
        head = f"Nov 25 12:00:{number:02} mx postfix/smtpd[{1200 + number}]: "
        out.append(f"{head}connect from unknown[192.0.2.10]")
        out += [f"{head}{'<' if side == 'C' else '>'} unknown[192.0.2.10]: {text}"
                for side, text in dialogue(lines)]
        out.append(f"{head}disconnect from unknown[192.0.2.10]")
    return "\n".join(out + [""]).encode()


def as_exim():
    out = []
    for number, lines in enumerate(LOGINS.values(), 1):
        head = f"12:00:{number:02} {1400 + number}"
        out.append(f"{head} Process {1400 + number} is handling incoming connection from [192.0.2.10]")
        out += [f"{head} {'SMTP<<' if side == 'C' else 'SMTP>>'} {text}" for side, text in dialogue(lines)]
        out.append(f"{head} SMTP>>(close on process exit)")
    return "\n".join(out + [""]).encode()


def as_swaks():
    out = []
    for lines in LOGINS.values():
        out += ["=== Trying mx.example.net:25...", "=== Connected to mx.example.net."]
        out += [f"{' -> ' if side == 'C' else '<-  '}{text}" for side, text in dialogue(lines)]
        out.append("=== Connection closed with remote host.")
    return "\n".join(out + [""]).encode()


def as_ssmtp():
    out = []
    for lines in LOGINS.values():
        out += [f"{'[->] ' if side == 'C' else '[<-] '}{text}" for side, text in dialogue(lines)]
    return "\n".join(out + [""]).encode()


def as_ssmtp_syslog():
    out = []
    for number, lines in enumerate(LOGINS.values(), 1):
        head = f"Nov 25 12:00:{number:02} ws1 sSMTP[{1300 + number}]: "
        # Of a reply it logs the last line.
        out += [f"{head}{text}#012" for side, text in dialogue(lines)
                if side == "C" or text[3] == " "]
    return "\n".join(out + [""]).encode()


def as_exchange():
    out = ["#Software: Microsoft Exchange Server", "#Version: 15.0.0.0",
           "#Log-type: SMTP Receive Protocol Log", "#Date: 2026-11-25T12:00:00.001Z",
           "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,"
           "event,data,context"]
    for number, lines in enumerate(LOGINS.values(), 1):
        def row(count, event, data):
            quoted = data.replace('"', '""')
            return (f"2026-11-25T12:{number:02}:00.{count:03}Z,EX1,08DE{number:012X},{count},"
                    f'192.0.2.25:587,192.0.2.10:50114,{event},"{quoted}",')
        out.append(row(0, "+", ""))
        for count, (side, text) in enumerate(dialogue(lines), 1):
            out.append(row(count, "<" if side == "C" else ">", text))
        out.append(row(999, "-", ""))
    return "\n".join(out + [""]).encode()


def pasted(head, client, server):
    """What programs print of their sessions: a line or two when one begins, then who says what."""
    def make():
        out = []
        for lines in LOGINS.values():
            out += head
            out += [client(text) if side == "C" else server(text) for side, text in dialogue(lines)]
        return "\n".join(out + [""]).encode()
    return make


as_curl = pasted(["*   Trying 192.0.2.25:587...", "* Connected to mx (192.0.2.25) port 587"],
                 "> {}".format, "< {}".format)
as_smtplib = pasted(["connect: to ('mx', 587) None"],
                    lambda text: f"send: {text + chr(13) + chr(10)!r}",
                    lambda text: f"reply: {(text + chr(13) + chr(10)).encode()!r}")
as_phpmailer = pasted([], "CLIENT -> SERVER: {}".format, "SERVER -> CLIENT: {}".format)
as_msmtp = pasted(["host = mx", "port = 587"], "--> {}".format, "<-- {}".format)
as_javamail = pasted(['DEBUG SMTP: trying to connect to host "mx", port 587, isSSL false'],
                     "{}".format, "{}".format)
as_terminal = pasted(["$ telnet mx 25", "Trying 192.0.2.25...", "Connected to mx.",
                      "Escape character is '^]'."], "{}".format, "{}".format)
as_story = pasted([], "Client says: {}".format, "Server says: {}".format)

SOURCES = {
    "kept.smtpcap": as_capture, "octets.smtpcap": as_octets_one_by_one,
    "reads.smtpcap": as_reads_of_any_size, "packets.pcap": as_packets,
    "postfix.log": as_postfix, "exim.txt": as_exim, "swaks.txt": as_swaks, "ssmtp.txt": as_ssmtp,
    "ssmtp.log": as_ssmtp_syslog, "exchange.log": as_exchange, "curl.txt": as_curl,
    "smtplib.txt": as_smtplib, "phpmailer.txt": as_phpmailer, "msmtp.txt": as_msmtp,
    "javamail.txt": as_javamail, "terminal.txt": as_terminal, "story.txt": as_story,
}


class Credentials(ProgramTest):
    def assert_none(self, octets, where):
        text = octets.decode("latin-1")
        for needle in NEEDLES:
            at = text.find(needle)
            if at >= 0:
                self.fail(f"{where}: {needle} in {text[max(0, at - 300):at + 100]!r}")

    def check(self, where, *arguments, codes=(0, 1)):
        result = run(*arguments)
        self.assertIn(result.code, codes, f"{where}: {result.err}")
        self.assert_none((result.out + result.err).encode("latin-1", "replace"), where)
        return result

    def check_files(self, where, path):
        files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
        for each in files:
            self.assert_none(each.read_bytes(), f"{where}, {each.name}")
            self.assert_none(told_by(each).encode("latin-1", "replace"), f"{where}, {each.name}")
        return len(files)

    def test_the_test_finds_what_it_looks_for(self):
        for name, make in SOURCES.items():
            self.assertTrue(any(needle.encode() in make() for needle in NEEDLES) or
                            name in ("octets.smtpcap", "reads.smtpcap"), name)

    def test_every_source_in_every_output(self):
        for name, make in SOURCES.items():
            with self.subTest(name):
                source = self.file(name, make())
                shown = self.check("text", "show", source)
                self.assertIn("EHLO", shown.out)
                self.check("-v", "show", "-v", "--width", "0", source)
                for form in ("json", "jsonl"):
                    self.check(form, "show", "-v", "-f", form, source)
                for form in ("pcapng", "eml", "html"):
                    out = self.folder / f"{name}.{form}"
                    self.check(form, "show", "-f", form, "-o", out, source, codes=(0, 1, 2))
                    if out.exists():
                        self.check_files(form, out)
                again = self.file("again-" + name, make())
                self.check("diff", "diff", "-v", source, again)
                self.check("diff json", "diff", "-v", "-f", "json", source, again)
                self.check("taps", "diff", "-v", "--taps", source, again)
                self.check("taps json", "diff", "-v", "--taps", "-f", "json", source, again)
                for body in ("drop", "keep"):
                    out = self.folder / f"{name}-{body}.redacted"
                    self.check("redact", "redact", "--body", body, source, "-o", out, codes=(0,))
                    self.check_files("redact", out)
                folder = self.folder / f"{name}-report"
                self.check("report", "report", source, "-o", folder, codes=(0,))
                self.assertGreaterEqual(self.check_files("report", folder), 5)

    def test_what_else_differs_is_seen(self):
        """Masked is what is secret, no more: names, codes and words stay."""
        out = self.check("text", "show", "-v", "--width", "0",
                         self.file("kept.smtpcap", as_capture())).out
        for words in ("AUTH PLAIN", "535-5.7.8 bad credentials: '", "250 still not ",
                      "MAIL FROM:<a@client.example>", "a1 LOGIN", "PASS", "334 VXNlcm5hbWU6",
                      "urlauth=submit+a:internal:################################ LAST"):
            self.assertIn(words, out)


if __name__ == "__main__":
    unittest.main()
