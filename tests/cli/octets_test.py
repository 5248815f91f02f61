"""The formats that hold octets: packets for Wireshark, messages as files."""

import json
import stat
import subprocess
import unittest

from program import Capture, DEADLINE, ProgramTest, replayed_session, run

MESSAGE = "Subject: x\r\n\r\n..a line with a dot\r\ncaf\u00c3\u00a9\r\n"


def with_login(capture, session):
    """A session with credentials that somebody asked to be kept."""
    capture.open(0, session)
    capture.server(1, session, "220 mx\r\n")
    capture.client(2, session, "EHLO ws1\r\n")
    capture.server(3, session, "250-mx\r\n250 AUTH PLAIN\r\n")
    capture.client(4, session, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n")
    capture.server(5, session, "235 ok\r\n")
    capture.client(6, session, "MAIL FROM:<alice@example.com>\r\n")
    capture.server(7, session, "250 ok\r\n")
    capture.client(8, session, "RCPT TO:<bob@example.net>\r\n")
    capture.server(9, session, "250 ok\r\n")
    capture.client(10, session, "DATA\r\n")
    capture.server(11, session, "354 go\r\n")
    capture.client(12, session, MESSAGE + ".\r\n")
    capture.server(13, session, "250 queued\r\n")
    capture.client(14, session, "QUIT\r\n")
    capture.server(15, session, "221 bye\r\n")
    capture.end(16, session)


def seen_inside_tls(capture, session):
    """STARTTLS that smtpscope saw through, with a line in the clear after it that went nowhere."""
    capture.open(0, session)
    capture.server(1, session, "220 mx\r\n")
    capture.client(2, session, "EHLO ws1\r\n")
    capture.server(3, session, "250-mx\r\n250 STARTTLS\r\n")
    # With the command before it in one read, and something behind it that is kept back.
    capture.client(4, session, "NOOP\r\nSTARTTLS\r\n")
    capture.event(4, session, "bytes", **{"from": "client"}, data="MAIL FROM:<eve@example.com>\r\n",
                  undelivered=True)
    capture.server(5, session, "250 ok\r\n220 go\r\n")
    for ms, side, verification in ((6, "server", {"verification": "ok"}), (7, "client", {})):
        capture.event(ms, session, "tls", **{"with": side}, took=10**6, completed=True,
                      version="TLS 1.3", cipher="TLS_AES_256_GCM_SHA384", **verification,
                      certificates_of="server" if side == "server" else "made", certificates=[])
    inside = [("client", "EHLO ws1\r\n"), ("server", "250-mx\r\n250 SIZE 1000\r\n"),
              ("client", "MAIL FROM:<alice@example.com>\r\n"), ("server", "250 ok\r\n"),
              ("client", "RCPT TO:<bob@example.net>\r\n"), ("server", "250 ok\r\n"),
              ("client", "DATA\r\n"), ("server", "354 go\r\n"),
              ("client", MESSAGE + ".\r\n"), ("server", "250 queued\r\n"),
              ("client", "QUIT\r\n"), ("server", "221 bye\r\n")]
    for ms, (side, text) in enumerate(inside, 8):
        capture.event(ms, session, "bytes", **{"from": side}, data=text, tls=True)
    capture.end(30, session)


class Packets(ProgramTest):
    def write(self, *tellers):
        capture = Capture()
        for number, tell in enumerate(tellers, 1):
            tell(capture, number)
        path = self.folder / "run.smtpcap"
        path.write_bytes(capture.octets())
        return path

    def export(self, capture, *options):
        target = self.folder / "run.pcapng"
        result = run("show", "-f", "pcapng", "-o", target, *options, capture)
        self.assertEqual((result.code, result.err), (0, ""))
        return target

    def tshark(self, file, *arguments):
        done = subprocess.run(["tshark", "-n", "-r", str(file), *arguments], capture_output=True,
                              text=True, timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        # It warns whoever runs it as root, whatever the file.
        complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
        self.assertEqual(complaints, [])
        return done.stdout

    def test_tshark_reads_the_dialogue_and_the_findings(self):
        file = self.export(self.write(replayed_session))
        fields = ["-T", "fields", "-e", "smtp.req.command", "-e", "smtp.response.code",
                  "-e", "frame.comment"]
        lines = [line.split("\t") for line in self.tshark(file, *fields).splitlines()]
        self.assertEqual([line[0] for line in lines if line[0]],
                         ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA", "QUIT"])
        self.assertEqual([line[1] for line in lines if line[1]],
                         ["220"] + ["250"] * 6 + ["354", "250", "221"])
        (replayed,) = [line for line in lines if "txn-replayed-after-rset" in line[2]]
        self.assertEqual(replayed[1], "250")  # the second RCPT's reply

    def test_tshark_finds_nothing_wrong(self):
        # Masked credentials are no base64, and that it does complain about: none here.
        file = self.export(self.write(replayed_session, replayed_session))
        expert = self.tshark(file, "-q", "-z", "expert,warn", "-o", "tcp.check_checksum:TRUE",
                             "-o", "ip.check_checksum:TRUE")
        self.assertEqual(expert.strip(), "")

    def test_what_was_inside_tls_is_smtp_for_tshark(self):
        file = self.export(self.write(seen_inside_tls))
        fields = ["-T", "fields", "-e", "smtp.req.command", "-e", "smtp.response.code",
                  "-e", "frame.comment"]
        lines = [line.split("\t") for line in self.tshark(file, *fields).splitlines()]
        self.assertEqual([line[0] for line in lines if line[0]],
                         ["EHLO", "NOOP", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"])
        self.assertEqual([line[1] for line in lines if line[1]],
                         ["220"] + ["250"] * 5 + ["354", "250", "221"])
        (told,) = [line for line in lines if "STARTTLS and the server's 220 came here" in line[2]]
        self.assertEqual(told[0], "EHLO")
        for words in ("TLS 1.3 with the server", "certificate verified", "TLS 1.3 with the client",
                      "29 octets in the clear after STARTTLS went nowhere"):
            self.assertIn(words, told[2])
        # No hole in the sequence numbers, no record that is none.
        expert = self.tshark(file, "-q", "-z", "expert,warn", "-o", "tcp.check_checksum:TRUE",
                             "-o", "ip.check_checksum:TRUE")
        self.assertEqual(expert.strip(), "")

    def test_what_was_inside_tls_is_the_same_again_from_packets(self):
        capture = self.write(seen_inside_tls)
        file = self.export(capture)
        told = []
        for source in (capture, file):
            (session,) = json.loads(run("show", "-f", "json", source).out)["sessions"]
            told.append(session)
        ours, again = told
        behind = next(at for at, e in enumerate(ours["entries"]) if e.get("tls"))

        def said(entries):
            return [(e["side"], e["kind"], e.get("verb"), e.get("code"), e["end"] - e["begin"])
                    for e in entries]

        inside = ours["entries"][behind:]
        self.assertEqual(said(inside), said(again["entries"][-len(inside):]))
        apart = [[e["first_ns"] - entries[0]["first_ns"] for e in entries]
                 for entries in (inside, again["entries"][-len(inside):])]
        self.assertEqual(*apart)
        for session in told:
            self.assertEqual([t["outcome"] for t in session["transactions"]], ["accepted"])
        # What packets cannot say: see "pcapng" in docs/output.md.
        self.assertEqual([e["verb"] for e in again["entries"] if e["kind"] == "command"],
                         ["EHLO", "NOOP", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"])
        self.assertEqual(again["gaps"], [])
        self.assertNotIn("tls", again)

    def test_tls_that_failed_is_told(self):
        def failed(capture, session):
            capture.open(0, session)
            capture.server(1, session, "220 mx\r\n")
            capture.client(2, session, "EHLO ws1\r\n")
            capture.server(3, session, "250-mx\r\n250 STARTTLS\r\n")
            capture.client(4, session, "STARTTLS\r\n")
            capture.server(5, session, "220 go\r\n")
            capture.event(6, session, "tls", **{"with": "client"}, took=10**6, completed=False,
                          failure="alert 48: unknown CA", failed_by="client", alert=48,
                          certificates_of="made", certificates=[])
            capture.end(7, session)

        file = self.export(self.write(failed))
        fields = ["-T", "fields", "-e", "smtp.req.command", "-e", "frame.comment"]
        shown = self.tshark(file, *fields)
        self.assertIn("STAR\t", shown)  # tshark takes four letters for the verb
        self.assertIn("TLS with the client failed after 1 ms: alert 48: unknown CA", shown)

    def test_times_are_exact(self):
        file = self.export(self.write(with_login))
        times = self.tshark(file, "-T", "fields", "-e", "frame.time_relative").split()
        self.assertIn("0.008000000", times)

    def test_credentials_are_masked_though_the_capture_kept_them(self):
        file = self.export(self.write(with_login))
        self.assertNotIn(b"AGFsaWNl", file.read_bytes())
        self.assertIn(b"AUTH PLAIN ####", file.read_bytes())

    def test_not_for_a_terminal_nor_live(self):
        import pty
        import os
        controller, terminal = pty.openpty()
        try:
            result = run("show", "-f", "pcapng", self.write(with_login), stdout=terminal)
        finally:
            os.close(controller)
            os.close(terminal)
        self.assertEqual(result.code, 2)
        self.assertIn("cannot go to a terminal", result.err)
        self.assertEqual(run("proxy", "-f", "pcapng", "--upstream", "sink").code, 2)

    def test_messages_as_files(self):
        target = self.folder / "messages"
        capture = self.write(replayed_session, with_login)
        result = run("show", "-f", "eml", "-o", target, capture)
        self.assertEqual((result.code, result.err), (0, ""))
        file = target / "session-2-message-1.eml"
        self.assertEqual(file.read_bytes(),
                         b"Subject: x\r\n\r\n.a line with a dot\r\ncaf\xc3\xa9\r\n")
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o700)
        listed = [json.loads(line) for line in
                  (target / "messages.jsonl").read_text().splitlines()]
        self.assertEqual([each["file"] for each in listed],
                         ["session-1-message-2.eml", "session-2-message-1.eml"])
        self.assertEqual(listed[1]["to"], ["bob@example.net"])
        self.assertTrue(listed[1]["whole"])
        self.assertEqual(sorted(path.name for path in target.iterdir()),
                         ["messages.jsonl", "session-1-message-2.eml", "session-2-message-1.eml"])

    def test_only_those_of_annotated_sessions(self):
        target = self.folder / "messages"
        capture = self.write(replayed_session, with_login)
        run("show", "-f", "eml", "-o", target, "--only-annotated", "--severity",
            "warning", "--off", "all", "--on", "txn-replayed-after-rset", capture)
        self.assertEqual(sorted(path.name for path in target.iterdir()),
                         ["messages.jsonl", "session-1-message-2.eml"])

    def test_a_message_that_is_not_whole_says_so(self):
        capture = Capture()
        with_login(capture, 1)
        lines = capture.octets().decode().splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if "Subject" in line)
        lines.insert(at, json.dumps({"t": 11_500_000, "s": 1, "e": "gap", "from": "client",
                                     "octets": 10, "why": "test"}) + "\n")
        path = self.folder / "holed.smtpcap"
        path.write_text("".join(lines))
        target = self.folder / "messages"
        run("show", "-f", "eml", "-o", target, path)
        names = [each.name for each in target.iterdir() if each.suffix == ".eml"]
        self.assertTrue(all(name.endswith(".partial.eml") for name in names), names)

    def test_folders(self):
        capture = self.write(with_login)
        missing = run("show", "-f", "eml", capture)
        self.assertEqual(missing.code, 2)
        self.assertIn("-o", missing.err)
        target = self.folder / "messages"
        self.assertEqual(run("show", "-f", "eml", "-o", target, capture).code, 0)
        again = run("show", "-f", "eml", "-o", target, capture)
        self.assertEqual(again.code, 2)
        self.assertIn("not empty", again.err)
        self.assertEqual(run("show", "-f", "eml", "-o", target, "--force", capture).code, 0)
        self.assertEqual(run("show", "-f", "eml", "-o", capture, capture).code, 2)


if __name__ == "__main__":
    unittest.main()
