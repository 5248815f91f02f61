"""`smtpscope reason` and `smtpscope troubles` as a user runs them."""
import json
import tempfile
import unittest
from pathlib import Path

from program import ROOT, run

HEAD = ('{"smtpcap":1,"started":"2026-11-23T22:38:42.881620376Z","writer":"test","source":"live",'
        '"credentials":"masked","message":"65536"}\n')


class Reason(unittest.TestCase):
    def test_one_reply(self):
        result = run("reason", "--stage", "rcpt",
                     "550-5.1.1 192.0.2.4 has sent to\n550 5.1.1 too many recipients this hour")
        self.assertEqual(result.code, 0, result.err)
        self.assertTrue(result.out.startswith("rate-limited: "), result.out)
        self.assertIn("stands for recipient-unknown; the words count", result.out)
        self.assertIn("the same may work later", result.out)

    def test_many(self):
        rows = [{"n": "7", "code": 550, "enhanced": "5.7.1", "stage": "RCPT", "text": "relaying denied"},
                {"n": 8, "code": 452, "enhanced": "", "stage": "", "text": "4.2.2 mailbox\nfull"}]
        result = run("reason", "--jsonl", stdin="\n".join(json.dumps(row) for row in rows).encode())
        self.assertEqual(result.code, 0, result.err)
        got = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual(got, [
            {"n": "7", "reason": "relay-denied", "temporary": "no", "who_acts": "client-admin",
             "how_known": "words"},
            {"n": 8, "reason": "mailbox-full", "temporary": "yes", "who_acts": "recipient",
             "how_known": "words"}])

    def test_wrong_input(self):
        for arguments, text, message in (
                (("reason",), "", "give a reply"),
                (("reason", "250 Ok"), "", "does not begin with a reply code"),
                (("reason", "--stage", "NOON", "550 no"), "", "--stage: 'NOON' is none"),
                (("reason", "--jsonl"), "{}\n{", "line 1: \"code\" is no number"),
                (("reason", "--jsonl"), "{", "line 1: no JSON"),
                (("reason", "--reasons", "/nowhere/x", "550 no"), "", "cannot read '/nowhere/x'")):
            with self.subTest(arguments=arguments):
                result = run(*arguments, stdin=text.encode())
                self.assertEqual(result.code, 2)
                self.assertIn(message, result.err)

    def test_a_table_of_one_s_own_is_asked_first(self):
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder) / "own.txt"
            table.write_text("[greylisted]\nwords 90: the cat is asleep\n", encoding="utf-8")
            reply = "451 4.3.0 The cat is asleep"
            before = run("reason", reply)
            self.assertNotIn("greylisted: ", before.out)
            result = run("reason", "--reasons", str(table), reply)
            self.assertEqual(result.code, 0, result.err)
            self.assertTrue(result.out.startswith("greylisted: "), result.out)
            # What it does not know is judged as before.
            relay = run("reason", "--reasons", str(table), "550 5.7.1 relaying denied")
            self.assertTrue(relay.out.startswith("relay-denied: "), relay.out)
            table.write_text("[no-such-reason]\nwords 90: x\n", encoding="utf-8")
            wrong = run("reason", "--reasons", str(table), reply)
            self.assertEqual(wrong.code, 2)
            self.assertIn("no-such-reason", wrong.err)

    def test_the_summary_of_a_run_counts_refusals_by_reason(self):
        def session(number, reply):
            events = [{"e": "open", "client": "192.0.2.1:%d" % number, "listener": "", "upstream": "mx:25"},
                      {"e": "connected", "server": "192.0.2.25:25", "took": 1000}]
            for side, text in (("server", "220 mx"), ("client", "EHLO c.example"), ("server", "250 mx"),
                               ("client", "MAIL FROM:<a@example.com>"), ("server", "250 ok"),
                               ("client", "RCPT TO:<b@example.net>"), ("server", reply),
                               ("client", "QUIT"), ("server", "221 bye")):
                events.append({"e": "bytes", "from": side, "data": text + "\r\n"})
            events += [{"e": "close", "from": side, "kind": "fin"} for side in ("server", "client")]
            return [{"s": number, **event} for event in events + [{"e": "end"}]]

        events = session(1, "450 4.2.0 Greylisted") + session(2, "451 4.7.1 greylisting in action")
        events += session(3, "550 5.1.1 No such user here")
        with tempfile.TemporaryDirectory() as folder:
            capture = Path(folder) / "run.smtpcap"
            capture.write_text(HEAD + "".join(
                json.dumps({"t": 1000 * at, **event}) + "\n" for at, event in enumerate(events, 1)),
                encoding="utf-8")
            result = run("show", str(capture))
            self.assertEqual(result.code, 0, result.err)
            self.assertRegex(result.out, r"refused +3: greylisted 2, recipient.unknown 1\n")
            document = json.loads(run("show", "-f", "json", str(capture)).out)
            self.assertEqual(document["runs"][0]["summary"]["refusals"],
                             {"greylisted": 2, "recipient-unknown": 1})

    def test_explained(self):
        for name in ("greylisted", "closed-after-the-dot"):
            result = run("explain", name)
            self.assertEqual(result.code, 0, result.err)
            self.assertTrue(result.out.startswith(name + ": "))


class Troubles(unittest.TestCase):
    def test_the_page_is_the_one_in_docs(self):
        page = (ROOT / "docs" / "troubles.md").read_text(encoding="utf-8")
        self.assertEqual(run("troubles", "--markdown").out, page)

    def test_search(self):
        result = run("troubles", "starttls", "login", "strip")
        self.assertIn("strip-took-the-login: ", result.out)
        self.assertNotIn("mailbox-full", result.out)
        self.assertIn("mailbox-full", run("troubles").out)
        nothing = run("troubles", "xyzzy")
        self.assertEqual(nothing.code, 2)
        self.assertIn("no trouble is described", nothing.err)


if __name__ == "__main__":
    unittest.main()
