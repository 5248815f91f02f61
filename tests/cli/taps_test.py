"""`smtpscope diff --taps` as a user meets it: arguments, errors, exit codes."""

import json
import os
import stat
import unittest

from program import Capture, ProgramTest, run


def captures(scanned=False, held=0, tap=("laptop", "mx"), ahead="12", message_id="1"):
    """One session at two taps: 2 ms from one to the other, 1 ms until the server answers."""
    near_client, near_server = Capture(), Capture()
    for capture, name, hour in ((near_client, tap[0], "12"), (near_server, tap[1], ahead)):
        header = json.loads(capture.lines[0])
        header.update(tap=name, started=f"2026-11-23T{hour}:00:00.000000000Z")
        capture.lines[0] = json.dumps(header)
        capture.open(0, 1)
    near_server.server(1, 1, "220 mx.example ESMTP\r\n")
    near_client.server(3, 1, "220 mx.example ESMTP\r\n")
    message = f"Message-ID: <{message_id}@a>\r\nSubject: x\r\n\r\nhello\r\n.\r\n"
    at = 10
    for said, reply in (
        ("EHLO ws1\r\n", "250 mx.example at your service\r\n"),
        ("MAIL FROM:<alice@example.com>\r\n", "250 2.1.0 Ok\r\n"),
        ("RCPT TO:<bob@example.net>\r\n", "250 2.1.5 Ok\r\n"),
        ("DATA\r\n", "354 go\r\n"),
        (message, "250 2.0.0 Ok: queued as 4F1B2A\r\n"),
        ("QUIT\r\n", "221 2.0.0 Bye\r\n"),
    ):
        near_client.client(at, 1, said)
        if scanned and said == "DATA\r\n":
            near_server.client(at + 1, 1, "RSET\r\n")
            near_server.server(at + 2, 1, "250 2.0.0 Ok\r\n")
            near_server.client(at + 3, 1, "MAIL FROM:<alice@example.com>\r\n")
            near_server.server(at + 4, 1, "250 2.1.0 Ok\r\n")
            near_server.client(at + 5, 1, "RCPT TO:<bob@example.net>\r\n")
            near_server.server(at + 6, 1, "250 2.1.5 Ok\r\n")
            at += 10
        if said == message:
            at += held
        near_server.client(at + 2, 1, said)
        near_server.server(at + 3, 1, reply)
        near_client.server(at + 5, 1, reply)
        at += 10
    near_client.end(at, 1)
    near_server.end(at, 1)
    return near_client, near_server


class Taps(ProgramTest):
    def files(self, **how):
        near_client, near_server = captures(**how)
        return self.file("a.smtpcap", near_client), self.file("b.smtpcap", near_server)

    def test_nothing_in_between(self):
        result = run("diff", "--taps", *self.files())
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertIn("Nothing between the two taps changed anything: 7 exchanges and 1 message",
                      result.out)
        self.assertIn("takes 4 ms for an exchange, there and back (median of 6)", result.out)
        self.assertNotIn("session 1", result.out)
        self.assertIn("session 1 → session 1", run("diff", "--taps", "-v", *self.files()).out)

    def test_something_in_between(self):
        result = run("diff", "--taps", *self.files(scanned=True))
        self.assertEqual((result.code, result.err), (1, ""))
        for words in ("what laptop saw", "what mx saw", "▲ warning two-point-divergence: ",
                      "It sent the server RSET, which the client never sent.",
                      "It sent the server MAIL and RCPT once more than the client sent them.",
                      "likely: The mail shield of a security suite", "next: "):
            self.assertIn(words, result.out)
        narrow = run("diff", "--taps", "--width", 70, *self.files(scanned=True)).out
        self.assertNotIn("what laptop saw", narrow)
        self.assertIn("  >   +0.041 C  RSET\n", narrow)

    def test_clocks_that_are_hours_apart(self):
        result = run("diff", "--taps", *self.files(ahead="19"))
        self.assertEqual(result.code, 0)
        self.assertIn("mx's is 7 h 0 min ahead of laptop's, within 2 ms", result.out)

    def test_delay_and_its_threshold(self):
        files = self.files(held=1500)
        result = run("diff", "--taps", *files)
        self.assertEqual(result.code, 1)
        self.assertIn("It held the message for 1.502 s.", result.out)
        self.assertNotIn("two-point-divergence", result.out)
        self.assertEqual(
            run("diff", "--taps", "--set", "two-point-divergence.delay=2s", *files).code, 0)

    def test_taps_without_names(self):
        result = run("diff", "--taps", *self.files(scanned=True, tap=("", "")))
        self.assertIn("what near client saw", result.out)
        self.assertIn("what mx saw",
                      run("diff", "--taps", *self.files(scanned=True, tap=("", "mx"))).out)

    def test_rules_can_be_off(self):
        files = self.files(scanned=True)
        result = run("diff", "--taps", "--off", "two-point-divergence", *files)
        self.assertEqual(result.code, 1)
        self.assertNotIn("warning two-point-divergence", result.out)
        self.assertIn("warning interception-suspected", result.out)

    def test_json(self):
        result = run("diff", "--taps", "-f", "json", *self.files(scanned=True))
        self.assertEqual(result.code, 1)
        document = json.loads(result.out)
        self.assertEqual(document["taps"]["counts"], {"command-injected": 3})
        self.assertEqual(document["taps"]["near_client"]["name"], "laptop")
        (dialogue,) = document["dialogues"]
        self.assertEqual([c["verb"] for c in dialogue["changes"]], ["RSET", "MAIL", "RCPT"])

    def test_output_file(self):
        files, target = self.files(), self.folder / "out.txt"
        self.assertEqual(run("diff", "--taps", *files, "-o", target).code, 0)
        self.assertIn("Nothing between", target.read_text())
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o600)
        self.assert_fails(run("diff", "--taps", *files, "-o", target), "--force")
        self.assert_fails(run("diff", "--taps", *files, "-o", files[0], "--force"))

    def test_the_wrong_way_round(self):
        near_client, near_server = self.files()
        self.assert_fails(
            run("diff", "--taps", near_server, near_client), "in the wrong order",
            f"diff --taps {near_client} {near_server}")

    def test_nothing_in_common(self):
        near_client, _ = self.files()
        other = self.file("c.smtpcap", Capture())
        self.assert_fails(run("diff", "--taps", near_client, other), "holds no session", "c.smtpcap")
        stranger = Capture()
        stranger.open(0, 1)
        stranger.server(1, 1, "220 mx\r\n")
        stranger.client(2, 1, "LHLO elsewhere\r\n")
        stranger.server(3, 1, "250 mx\r\n")
        stranger.end(4, 1)
        self.assert_fails(
            run("diff", "--taps", near_client, self.file("d.smtpcap", stranger)),
            "has a counterpart", "near the client")

    def test_wrong_usage(self):
        a, b = self.files()
        for arguments, words in (
            ([a], "NEAR-CLIENT NEAR-SERVER"),
            ([a, b, a], "NEAR-CLIENT NEAR-SERVER"),
            ([], "NEAR-CLIENT NEAR-SERVER"),
            ([a, self.folder / "none"], "none"),
            ([self.folder / "none", b], "none"),
            ([a, b, "--reads"], "--reads"),
            ([a, b, "--ignore", "x"], "--ignore"),
            ([a, b, "--baseline", self.folder], "--baseline"),
            (["-", "-"], "standard input"),
            ([a, a], "the same file"),
            ([a, b, "--set", "two-point-divergence.delay=soon"], "two-point-divergence.delay"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_fails(run("diff", "--taps", *arguments), words)

    def test_a_damaged_capture_is_no_pass(self):
        near_client, near_server = captures()
        near_client.lines.insert(-3, "{nonsense}")
        result = run("diff", "--taps", self.file("a.smtpcap", near_client),
                     self.file("b.smtpcap", near_server))
        self.assertEqual(result.code, 2)
        self.assertIn("could not be read", result.err)
        self.assertIn("hole", result.out)

    def test_explain_points_here(self):
        words = " ".join(run("explain", "two-point-divergence").out.split())
        self.assertIn("smtpscope diff --taps NEAR-CLIENT NEAR-SERVER", words)


if __name__ == "__main__":
    unittest.main()
