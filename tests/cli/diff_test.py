"""`smtpscope diff` as a user meets it: arguments, errors, exit codes, several runs."""

import json
import os
import stat
import unittest

from program import Capture, ProgramTest, run


def capture(rcpt="250 2.1.5 Ok", queue_id="4F1B2A", text="hello", pause=0):
    made = Capture()
    made.open(0, 1)
    made.server(1, 1, "220 mx.example ESMTP\r\n")
    made.client(2, 1, "EHLO ws1\r\n")
    made.server(3, 1, "250-mx.example\r\n250 SIZE 1000\r\n")
    made.client(4, 1, "MAIL FROM:<alice@example.com>\r\n")
    made.server(5, 1, "250 2.1.0 Ok\r\n")
    made.client(6, 1, "RCPT TO:<bob@example.net>\r\n")
    at = 7 + pause
    made.server(at, 1, rcpt + "\r\n")
    if rcpt.startswith("2"):
        made.client(at + 1, 1, "DATA\r\n")
        made.server(at + 2, 1, "354 go\r\n")
        made.client(at + 3, 1, f"Subject: x\r\n\r\n{text}\r\n.\r\n")
        made.server(at + 4, 1, f"250 2.0.0 Ok: queued as {queue_id}\r\n")
    made.client(at + 5, 1, "QUIT\r\n")
    made.server(at + 6, 1, "221 2.0.0 Bye\r\n")
    made.end(at + 7, 1)
    return made.octets()


class Diff(ProgramTest):
    def file(self, name, **change):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(capture(**change))
        return path

    def test_same(self):
        a, b = self.file("a"), self.file("b", queue_id="77AA00")
        result = run("diff", a, b)
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertIn("result        no difference", result.out)
        self.assertIn("queue-id 1", result.out)
        self.assertNotIn("77AA00", result.out)
        self.assertIn("queue-id: 4F1B2A → 77AA00", run("diff", "-v", a, b).out)

    def test_different(self):
        result = run("diff", self.file("a"), self.file("b", rcpt="550 5.1.1 no"))
        self.assertEqual(result.code, 1)
        self.assertIn("\n   - S  250 2.1.5 Ok\n   + S  550 5.1.1 no   another code\n", result.out)

    def test_switching_normalizers_off(self):
        a, b = self.file("a"), self.file("b", queue_id="77AA00")
        for name in ("queue-id", "all", "date,queue-id"):
            self.assertEqual(run("diff", "--no-normalizer", name, a, b).code, 1, name)
        self.assertEqual(run("diff", "--no-normalizer", "date", a, b).code, 0)

    def test_ignore(self):
        a, b = self.file("a", text="ticket 17"), self.file("b", text="ticket 18")
        self.assertEqual(run("diff", a, b).code, 1)
        result = run("diff", "--ignore", r"ticket (\d+)", a, b)
        self.assertEqual(result.code, 0)
        self.assertIn("ignored 1", result.out)

    def test_timing(self):
        a, b = self.file("a"), self.file("b", pause=700)
        result = run("diff", a, b)
        self.assertEqual(result.code, 1)
        self.assertIn("the reply to RCPT TO:<bob@example.net>: was 1 ms, now 701 ms", result.out)
        self.assertEqual(run("diff", "--no-timing", a, b).code, 0)
        self.assertEqual(run("diff", "--time-threshold", "1s", a, b).code, 0)
        self.assertEqual(run("diff", "--time-ratio", "1000", a, b).code, 0)

    def test_list_of_normalizers(self):
        result = run("diff", "--list-normalizers")
        self.assertEqual(result.code, 0)
        for name in ("date", "queue-id", "message-id", "port", "boundary", "session-id"):
            self.assertRegex(result.out, rf"(?m)^{name} +\w")

    def test_standard_input(self):
        a = self.file("a")
        self.assertEqual(run("diff", "-", a, stdin=capture()).code, 0)
        result = run("diff", "-", "-", stdin=capture())
        self.assertEqual(result.code, 2)
        self.assertIn("only one run can be read", result.err)

    def test_json(self):
        a, b = self.file("a"), self.file("b", text="bye")
        result = run("diff", "-f", "json", a, b)
        self.assertEqual(result.code, 1)
        (comparison,) = json.loads(result.out)["comparisons"]
        self.assertFalse(comparison["same"])
        self.assertEqual(comparison["counts"], {"body": 1})
        (session,) = comparison["sessions"]
        (difference,) = session["differences"]
        self.assertEqual((difference["before"], difference["after"]), ("hello", "bye"))

    def test_output_file(self):
        a, target = self.file("a"), self.folder / "out.txt"
        self.assertEqual(run("diff", a, a, "-o", target).code, 0)
        self.assertIn("no difference", target.read_text())
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o600)
        result = run("diff", a, a, "-o", target)
        self.assertEqual(result.code, 2)
        self.assertIn("--force", result.err)
        self.assertEqual(run("diff", a, a, "-o", target, "--force").code, 0)
        self.assertEqual(run("diff", a, a, "-o", a, "--force").code, 2)
        self.assertEqual(a.read_bytes(), capture())

    def test_several_runs_make_a_table(self):
        files = [self.file("a"), self.file("b"), self.file("c", rcpt="550 5.1.1 no")]
        result = run("diff", *files)
        self.assertEqual(result.code, 1)
        self.assertRegex(result.out, r"(?m)^\S*b .* same$")
        self.assertRegex(result.out, r"(?m)^\S*c .* \d+ differences$")
        self.assertEqual(run("diff", files[0], files[1], files[1]).code, 0)
        document = json.loads(run("diff", "-f", "json", *files).out)
        self.assertEqual([c["same"] for c in document["comparisons"]], [True, False])

    def test_a_series_and_what_is_new(self):
        for name, pause in (("s/1", 0), ("s/2", 800), ("s/3", 0)):
            self.file(name, pause=pause, queue_id=name.replace("/", ""))
        series = self.folder / "s"
        result = run("diff", "--baseline", series)
        self.assertEqual(result.code, 1)
        self.assertIn("stable: 6 of 7 exchanges in every run", result.out)
        self.assertIn("1 of 2  timing", result.out)
        # As slow as the series: no news. Refused: news.
        slow = run("diff", "--baseline", series, self.file("slow", pause=750))
        self.assertEqual(slow.code, 0)
        self.assertIn("1 more, as in the baseline", slow.out)
        self.assertEqual(
            run("diff", "--baseline", series, self.file("slower", pause=9000)).code, 1)
        self.assertEqual(
            run("diff", "--baseline", series, self.file("no", rcpt="550 5.1.1 no")).code, 1)
        document = json.loads(
            run("diff", "-f", "json", "--baseline", series, self.folder / "slow").out)
        self.assertEqual(document["baseline"]["runs"], 3)
        (comparison,) = document["comparisons"]
        self.assertEqual(
            [d["flickers"] for s in comparison["sessions"] for d in s["differences"]], [True])

    def test_a_stable_series(self):
        for name in ("s/1", "s/2"):
            self.file(name)
        result = run("diff", "--baseline", self.folder / "s")
        self.assertEqual(result.code, 0)
        self.assertIn("nothing flickers", result.out)

    def test_wrong_usage(self):
        a = self.file("a")
        empty = self.folder / "empty"
        empty.mkdir()
        for arguments, words in (
            ([], "two runs or more"),
            ([a], "two runs or more"),
            ([a, a, "--no-normalizer", "queue"], 'no normalizer "queue"'),
            ([a, a, "--ignore", "("], "no regular expression"),
            ([a, a, "--time-threshold", "soon"], "is no time"),
            ([a, a, "--time-ratio", "0.5"], "--time-ratio"),
            ([a, a, "-f", "xml"], "xml"),
            ([a, self.folder / "none"], "none"),
            ([self.folder / "none", a], "none"),
            (["--baseline", self.folder / "none"], "none"),
            (["--baseline", empty], "holds no file"),
        ):
            with self.subTest(arguments=arguments):
                result = run("diff", *arguments)
                self.assertEqual(result.code, 2)
                self.assertIn(words, result.err)

    def test_a_damaged_capture_is_compared_as_far_as_it_goes_but_is_no_pass(self):
        a, b = self.file("a"), self.folder / "b"
        lines = capture().splitlines(keepends=True)
        b.write_bytes(b"".join(lines[:-3]) + b"{nonsense}\n" + b"".join(lines[-3:]))
        result = run("diff", a, b)
        self.assertEqual(result.code, 2)
        self.assertIn("could not be read", result.err)
        self.assertIn("holes", result.out)

    def test_a_capture_that_is_cut_is_compared_up_to_there(self):
        a, b = self.file("a"), self.folder / "b"
        b.write_bytes(capture()[:-40])
        result = run("diff", a, b)
        self.assertIn("cut", result.err)
        self.assertIn(result.code, (0, 1))


if __name__ == "__main__":
    unittest.main()
