#!/usr/bin/env python3
"""smtpscope redact and report: what they write, what they refuse."""

import json
import os
import re
import stat
import unittest

from program import Capture, ProgramTest, quiet_session, replayed_session, run, told_by

NAMES = ("alice", "kestrel", "10.17.3", "ws17")
KEPT = "From: Alice <alice@kestrel-mail.de>\r\n\r\nDear Alice, the budget of kestrel-mail.de.\r\n.\r\n"
HIDDEN = "Subject: x\r\n\r\nDear ali=\r\nce=40kestrel-mail.de\r\n.\r\n"


def session(message=KEPT):
    capture = Capture()
    capture.event(0, 1, "open", client="10.17.3.9:4000", listener="10.17.3.1:25",
                  upstream="mx.kestrel-mail.de:25")
    capture.event(0, 1, "connected", server="10.17.3.25:25", took=1000)
    capture.server(1, 1, "220 mx.kestrel-mail.de ESMTP Postfix\r\n")
    capture.client(2, 1, "EHLO ws17.kestrel-mail.de\r\n")
    capture.server(3, 1, "250 mx.kestrel-mail.de\r\n")
    capture.client(4, 1, "MAIL FROM:<alice@kestrel-mail.de>\r\n")
    capture.server(5, 1, "250 2.1.0 Ok\r\n")
    capture.client(6, 1, "RCPT TO:<bob@kestrel-mail.de>\r\n")
    capture.server(7, 1, "250 2.1.5 Ok\r\n")
    capture.client(8, 1, "DATA\r\n")
    capture.server(9, 1, "354 End data with <CR><LF>.<CR><LF>\r\n")
    capture.client(10, 1, message)
    capture.server(11, 1, "250 2.0.0 Ok: queued as 257D2AAC540\r\n")
    capture.end(12, 1)
    return capture


def findings(path):
    timeline = json.loads(run("show", path, "-f", "json").out)
    return [[(each["rule"], each["severity"], each.get("folded_under"))
             for each in one["annotations"]] for one in timeline["sessions"]]


class Redact(ProgramTest):
    def redact(self, capture, *options, name="out.smtpcap"):
        out = self.folder / name
        return out, run("redact", self.file("in.smtpcap", capture), "-o", out, *options)

    def test_names_are_gone(self):
        for body in ("drop", "shape", "keep"):
            with self.subTest(body):
                out, result = self.redact(session(), "--body", body, "--force")
                self.assertEqual((result.code, result.out, result.err), (0, "", ""))
                text = out.read_text().lower()
                for name in NAMES:
                    self.assertNotIn(name, text)
                self.assertEqual("budget" in text, body == "keep")
                header = json.loads(text.splitlines()[0])
                self.assertEqual(header["redacted"], body)
                self.assertEqual(stat.S_IMODE(out.stat().st_mode), 0o600)
                shown = run("show", out)
                self.assertEqual(shown.code, 0)
                self.assertIn(f"messages: {body}", shown.out.splitlines()[0])
                self.assertIn("220 ", shown.out)
                self.assertIn("ESMTP Postfix", shown.out)

    def test_what_a_message_is_known_by(self):
        """Its Subject and Message-ID, decoded and harmless; nothing of them where names are pseudonyms."""
        capture = session("Subject: =?utf-8?Q?Budget_f=C3=BCr?=\r\n =?utf-8?Q?_M=C3=A4rz=1b[31m?=\r\nMessage-ID: <4711.march@kestrel-mail.de>\r\n\r\nx\r\n.\r\n")
        told = ("Budget für März\\x1B[31m", "<4711.march@kestrel-mail.de>")
        file = self.file("in.smtpcap", capture)
        forms = (("-f", "text"), ("--brief",), ("-f", "markdown"))
        for form in forms:
            for words in told:
                self.assertIn(words, run("show", *form, file).out, form)
        entry = next(one for one in json.loads(run("show", "-f", "json", file).out)["sessions"][0]["entries"] if one["kind"] == "mail-data")
        self.assertEqual((entry["subject"], entry["message_id"]), ("Budget für März\x1b[31m", told[1]))
        for words in ("budget für", "4711.march"):
            self.assertEqual(run("show", "--brief", "--filter", f'"{words}"', file).out.count("\n"), 1, words)
        made = [self.folder / "report"]
        self.assertEqual(run("report", file, "-o", made[0]).code, 0)
        outputs = [told_by(one) for one in made[0].iterdir()]
        for body in ("drop", "shape", "keep"):
            out, result = self.redact(capture, "--body", body, "--force")
            self.assertEqual(result.code, 0, result.err)
            page = self.folder / "redacted.html"
            self.assertEqual(run("show", "-f", "html", "--force", "-o", page, out).code, 0)
            documents = [run("show", *form, out).out for form in (*forms, ("-f", "json"), ("-f", "jsonl"))] + [told_by(page)]
            for text in documents:
                # As a member; "keep" has the words of a Subject in its octets, with pseudonyms for the names.
                self.assertNotRegex(text, r'"kind":"mail-data"[^{}]*"(subject|message_id)":')
            self.assertNotIn("4711.march@kestrel", out.read_text() + "".join(documents))
            if body != "keep":
                outputs += [*documents, out.read_text()]
        for redacts in ((), ("--records-redact", self.folder / "key")):
            rows = self.folder / f"rows{len(redacts)}"
            self.assertEqual(run("show", "-f", "records", *redacts, "-o", rows, file).code, 0)
            outputs += [one.read_text() for one in rows.rglob("*") if one.is_file()]
        for text in outputs:
            for words in ("Budget", "M=C3=A4rz", "März", "4711.march"):
                self.assertNotIn(words, text)

    def test_what_was_not_kept_is_not_told(self):
        for kept, shown in (("none", False), ("10", False), ("2000", True), ("full", True)):
            capture = session("Subject: Budget\r\n\r\nx\r\n.\r\n")
            capture.lines[0] = capture.lines[0].replace('"message": "full"', f'"message": "{kept}"')
            self.assertEqual('"Budget"' in run("show", self.file("kept.smtpcap", capture)).out, shown, kept)

    def test_findings_stay(self):
        capture = Capture()
        replayed_session(capture, 1)
        quiet_session(capture, 2, 30_000)
        out, result = self.redact(capture)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual(findings(out), findings(self.folder / "in.smtpcap"))
        self.assertTrue(any(findings(out)))

    def test_report(self):
        _, result = self.redact(session(), "--report")
        self.assertRegex(result.out, r"mail addresses +2 +2\n")
        self.assertRegex(result.out, r"checked: \d+ originals were looked for, none is left\n")
        for name in NAMES:
            self.assertNotIn(name, result.out)

    def test_what_is_left_makes_it_fail(self):
        out, result = self.redact(session(HIDDEN), "--body", "keep")
        self.assert_fails(result, "originals are left", "removed", "quoted-printable",
                          "what the client sent of session 1", "--body shape")
        self.assertNotIn("alice", result.err)
        self.assertFalse(out.exists())

    def test_key(self):
        key = self.folder / "names.key"
        first, result = self.redact(session(), "--key", key)
        self.assertIn("made a new key", result.err)
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        second, result = self.redact(session(), "--key", key, name="b.smtpcap")
        self.assertEqual(result.err, "")
        self.assertEqual(first.read_text(), second.read_text())
        third, _ = self.redact(session(), name="c.smtpcap")
        self.assertNotEqual(first.read_text(), third.read_text())

        key.chmod(0o644)
        self.assert_fails(self.redact(session(), "--key", key, "--force")[1], "chmod 600")
        key.chmod(0o600)
        key.write_text("short")
        self.assert_fails(self.redact(session(), "--key", key, "--force")[1], "5 octets", "32")

    def test_what_it_refuses(self):
        path = self.file("in.smtpcap", session())
        out = self.folder / "there"
        out.write_text("mine")
        self.assert_fails(run("redact", path, "-o", out), "there", "--force")
        self.assertEqual(out.read_text(), "mine")
        self.assert_fails(run("redact", path, "-o", path, "--force"), "in.smtpcap")
        self.assertTrue(path.read_text().startswith('{"smtpcap"'))
        self.assert_fails(run("redact", "-", "-o", out, "--force"), "save it to a file")
        self.assert_fails(run("redact", path, "-o", "-"), "has to be a file")
        self.assert_fails(run("redact", path, "-o", "/dev/null"), "has to be a file")
        self.assert_fails(run("redact", self.folder / "none", "-o", out, "--force"), "none")
        self.assert_fails(run("redact", self.file("x", b"no capture\n"), "-o", out), "no SMTP dialogue")
        self.assert_fails(run("redact", path, "-o", out, "--body", "some"), "--body")
        self.assert_fails(run("redact", path), "--output")

    def test_a_capture_that_is_damaged(self):
        whole = session().octets()
        lines = whole.splitlines(keepends=True)
        lines[4] = b"alice broke this line\n"
        out = self.folder / "out.smtpcap"
        result = run("redact", self.file("in.smtpcap", b"".join(lines)[:-20]), "-o", out)
        self.assertEqual(result.code, 0)
        self.assertIn("1 line could not be read", result.err)
        self.assertIn("it ends inside line", result.err)
        self.assertNotIn("alice", out.read_text())


class Report(ProgramTest):
    def report(self, *options):
        folder = self.folder / "report"
        path = self.file("in.smtpcap", session())
        return folder, run("report", path, "-o", folder, *options)

    def test_folder(self):
        folder, result = self.report()
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        names = sorted(each.name for each in folder.iterdir())
        self.assertEqual(names, ["redacted.smtpcap", "report.html", "timeline.json", "timeline.txt", "verdict.txt",
                                 "versions.txt"])
        for each in folder.iterdir():
            self.assertEqual(stat.S_IMODE(each.stat().st_mode), 0o600, each)
            self.assertIn(each.name, result.out)
            for name in NAMES:
                self.assertNotIn(name, told_by(each).lower(), each)
            # As a word: a host named "vm" has its name in many a pseudonym.
            host = re.escape(os.uname().nodename.lower())
            self.assertNotRegex(told_by(each).lower(), rf"(?<![a-z0-9]){host}(?![a-z0-9])", each)
        self.assertIn("Before you attach it", result.out)
        self.assertIn("message 1 delivered", (folder / "verdict.txt").read_text())
        self.assertIn("ESMTP Postfix", (folder / "timeline.txt").read_text())
        self.assertEqual(json.loads((folder / "timeline.json").read_text())["runs"][0]["redacted"], "drop")
        self.assertIn("smtpscope 0.0.0", (folder / "versions.txt").read_text())

    def test_folder_that_exists(self):
        folder, _ = self.report()
        (folder / "mine").write_text("mine")
        before = (folder / "timeline.txt").read_text()
        self.assert_fails(self.report()[1], "not empty", "--force")
        self.assertEqual((folder / "timeline.txt").read_text(), before)
        self.assertEqual(self.report("--force")[1].code, 0)
        self.assertEqual((folder / "mine").read_text(), "mine")

        empty = self.folder / "empty"
        empty.mkdir(mode=0o755)
        path = self.folder / "in.smtpcap"
        self.assertEqual(run("report", path, "-o", empty).code, 0)
        self.assertEqual(stat.S_IMODE(empty.stat().st_mode), 0o755)
        self.assert_fails(run("report", path, "-o", path), "file of that name")
        self.assert_fails(run("report", path, "-o", self.folder / "no" / "where"), "cannot make")

    def test_a_folder_that_is_there_keeps_its_mode(self):
        path = self.file("a.smtpcap", session())
        shared = self.folder / "shared"
        shared.mkdir()
        shared.chmod(0o1777)
        self.assertEqual(run("report", path, "-o", shared).code, 0)
        self.assertEqual(shared.stat().st_mode & 0o7777, 0o1777)
        for each in shared.iterdir():
            self.assertEqual(each.stat().st_mode & 0o777, 0o600, each)


if __name__ == "__main__":
    unittest.main()
