"""A real session with a login, addresses in UTF-8 and a message of several parts, redacted.

The search for what is left is this file's own: it shares no code with the program's check.
"""

import base64
import json
import quopri
import re
import smtplib
import subprocess
import tempfile
import unittest
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote_to_bytes

import clients
import exim
import root
from smtpscope import BINARY, Proxy, sessions

CONFIG = exim.CONFIG.replace(
    "message_size_limit = 0",
    "message_size_limit = 0\nsmtputf8_advertise_hosts = *\nauth_advertise_hosts = *",
).replace(
    "  local_parts = {known}\n  transport = folder", "  transport = folder"
).replace(
    "directory = /mail/$local_part_data", "directory = /mail/all"
) + """
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{peregrine-pass}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{$auth2}}{{peregrine-pass}}}}
  server_set_id = $auth1
"""

USER, PASSWORD = "goshawk17", "peregrine-pass"
SENDER = "j\u00fcrgen.kestrel@kestrel-post.de"
RECIPIENTS = ["ren\u00e9e.merlin@example.net", "harrier@example.net", "osprey+list@example.net"]
CLIENT = "ws17.aerie.kestrel-post.de"
PROSE = "the nest is under the third bridge"
# Whatever could lead to somebody, in the forms in which a reader would look for it.
NAMES = [USER, PASSWORD, "kestrel", "j\u00fcrgen", "merlin", "ren\u00e9e", "harrier", "osprey", "aerie", "ws17",
         "kestrel-post.de", "example.net", "smtpscope.test", "buzzard", "10.17.3.9",
         "xn--mwe-rna", "m\u00f6we"]


def message():
    mail = EmailMessage()
    mail["From"] = f"J\u00fcrgen Kestrel <{SENDER}>"
    mail["To"] = ", ".join(RECIPIENTS)
    mail["Subject"] = "F\u00fcr Ren\u00e9e Merlin"
    mail["Message-ID"] = f"<buzzard.257D2A@{CLIENT}>"
    mail["X-Originating-IP"] = "[10.17.3.9]"
    mail.set_content(f"Dear harrier@example.net,\n\n{PROSE}.\nhttp://m\u00f6we.kestrel-post.de/?u=osprey\n")
    mail.add_alternative(f"<p>{PROSE}, says {SENDER}</p>", subtype="html", cte="base64")
    mail.add_attachment(b"\0\1 harrier@example.net", maintype="application", subtype="octet-stream",
                        filename="merlin.bin")
    return mail


def decoded(octets):
    """The octets, and whatever they could stand for."""
    yield octets
    yield quopri.decodestring(octets)
    yield unquote_to_bytes(octets)
    yield re.sub(rb"\+([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), octets)
    yield re.sub(rb"\\x\{([0-9A-F]+)\}", lambda found: chr(int(found[1], 16)).encode(), octets)
    for run in re.findall(rb"[A-Za-z0-9+/]{8,}", octets.replace(b"\r\n", b"")) + re.findall(
            rb"[A-Za-z0-9+/]{8,}", octets):
        for skip in range(4):
            part = run[skip:]
            part = part[: len(part) - (len(part) % 4 == 1)]
            yield base64.b64decode(part + b"=" * (-len(part) % 4))


def streams(capture):
    """All texts of the capture, and each side's octets, joined."""
    sides = {}
    for line in capture.read_text().splitlines():
        event = json.loads(line)
        for key, value in event.items():
            if isinstance(value, str) and key not in ("data", "b64", "tail", "tail_b64"):
                yield value.encode()
        stream = sides.setdefault((event.get("s"), event.get("from")), bytearray())
        for part in [event, *event.get("further", [])]:
            for key in ("data", "tail"):
                stream += part.get(key, "").encode("latin-1")
            for key in ("b64", "tail_b64"):
                stream += base64.b64decode(part.get(key, ""))
    yield from map(bytes, sides.values())


def left_in(capture, names):
    found = set()
    for stream in streams(capture):
        for octets in decoded(stream):
            text = octets.lower()
            found |= {name for name in names
                      if name.encode() in text or name.encode("latin-1", "ignore") in text}
    return found


def shape(capture):
    """What the timeline says, without texts."""
    return [
        ([(e["kind"], e.get("verb"), e.get("code"), e["first_ns"]) for e in one.fields["entries"]],
         [(a["rule"], a["severity"], a.get("folded_under")) for a in one.fields["annotations"]],
         one.outcomes(),
         [line["kind"] for line in one.fields["end"]["verdict"]])
        for one in sessions(capture)
    ]


class Mail(exim.Exim):
    config = CONFIG


class Redaction(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        server = self.enterContext(Mail())
        upstream = f"127.0.0.1:{server.port}"
        with Proxy(upstream, self.folder, "--message", "full", "--keep-credentials") as proxy:
            with smtplib.SMTP("127.0.0.1", proxy.port, local_hostname=CLIENT) as smtp:
                smtp.ehlo()
                self.assertIn("smtputf8", smtp.esmtp_features)
                smtp.login(USER, PASSWORD)
                smtp.send_message(message(), SENDER, RECIPIENTS)
                smtp.docmd("VRFY", "harrier")
                smtp.docmd("XKESTREL", "harrier")
            clients.run(
                ["swaks", "--server", "127.0.0.1", "--port", proxy.port, "--ehlo", CLIENT,
                 "--from", "merlin@kestrel-post.de", "--to", "harrier@example.net",
                 "--auth", "LOGIN", "--auth-user", USER, "--auth-password", PASSWORD,
                 "--body", PROSE], self.folder)
            proxy.finish()
        self.capture = proxy.capture

    def redact(self, command, output, *options):
        done = subprocess.run([BINARY, command, self.capture, "-o", output, *options],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_nothing_is_left(self):
        self.assertGreaterEqual(left_in(self.capture, [*NAMES, PROSE]),
                                {USER, PASSWORD, "kestrel", "harrier", "10.17.3.9", PROSE})
        was = shape(self.capture)
        self.assertEqual([outcomes for _, _, outcomes, _ in was], [["accepted"], ["accepted"]])
        for body in ("drop", "shape", "keep"):
            with self.subTest(body):
                output = self.folder / f"{body}.smtpcap"
                report = self.redact("redact", output, "--body", body, "--report")
                self.assertIn("none is left", report)
                text = NAMES if body == "keep" else [*NAMES, PROSE]
                self.assertEqual(left_in(output, text), set())
                self.assertEqual(left_in(output, [PROSE]), {PROSE} if body == "keep" else set())
                if body == "keep":
                    # Addresses in the message may be longer now than MAIL declared.
                    self.assertEqual([(one[0], one[2]) for one in shape(output)],
                                     [(one[0], one[2]) for one in was])
                else:
                    self.assertEqual(shape(output), was)

    def test_report(self):
        folder = self.folder / "report"
        self.redact("report", folder)
        self.assertEqual(left_in(folder / "redacted.smtpcap", [*NAMES, PROSE]), set())
        for file in folder.iterdir():
            text = file.read_text().lower()
            self.assertEqual([name for name in [*NAMES, PROSE] if name in text], [], file.name)


if __name__ == "__main__":
    unittest.main()
