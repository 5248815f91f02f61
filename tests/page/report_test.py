#!/usr/bin/env python3
"""A report: its views at each size, what is chosen and how, and what it is made of."""

import base64
import gzip
import hashlib
import json
import re
import unittest

from browser import ROOT, SIZES, Capture, Keys, PageTest, quiet_session, refused_session, replayed_session, run

ORIGIN = ROOT / "examples" / "origin.smtpcap"


def story(count=40):
    capture = Capture()
    for session in range(1, count + 1):
        start = session * 20_000
        if session % 10 == 3:
            refused_session(capture, session, start)
        elif session % 10 == 5:
            replayed_session(capture, session, start)
        else:
            quiet_session(capture, session, start)
    return capture


class MadeOf(PageTest):
    def setUp(self):
        self.page = self.report("origin", ORIGIN)
        self.html = self.page.read_text(encoding="utf-8")

    def test_nothing_is_loaded(self):
        self.assertNotRegex(self.html, r"""(?i)(src|href)\s*=\s*["']?\s*(https?:|//)""")
        self.open(self.page)
        loaded = self.script("return performance.getEntriesByType('resource').map((one) => one.name)")
        self.assertEqual(loaded, [])

    def test_the_policy_names_exactly_this_script_and_style(self):
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', self.html)[1]
        for element in ("style", "script"):
            text = re.findall(rf"<{element}>(.*?)</{element}>", self.html, re.S)
            self.assertEqual(len(text), 1)
            digest = base64.b64encode(hashlib.sha256(text[0].encode()).digest()).decode()
            self.assertIn(f"{element}-src 'sha256-{digest}'", policy)
        for word in ("default-src 'none'", "connect-src 'none'", "form-action 'none'", "base-uri 'none'",
                     "require-trusted-types-for 'script'"):
            self.assertIn(word, policy)
        self.assertNotIn("unsafe", policy)

    def test_the_policy_holds_against_a_script_in_the_page(self):
        """The browser refuses a script that is not named, were one to get into a report."""
        page = self.folder / "foreign.html"
        page.write_text(self.html.replace("<noscript>", "<script>document.title = 'foreign'</script><noscript>"))
        self.open(page)
        self.assertNotEqual(self.browser.title, "foreign")
        said = self.browser.get_log("browser")
        self.assertTrue(any("Content Security Policy" in entry["message"] for entry in said), said)

    def test_the_records_are_those_of_jsonl(self):
        packed = re.search(r'id="records">([^<]*)</script>', self.html)[1]
        lines = gzip.decompress(base64.b64decode(packed)).decode().splitlines()
        records = [line for line in lines if not line.startswith('{"event":"octets"')]
        self.assertEqual(records, run("show", "-f", "jsonl", ORIGIN).out.splitlines())
        self.assertGreater(len(lines), len(records))

    def test_without_script_the_timeline_is_text(self):
        plain = re.search(r"<noscript><pre>\n(.*?)</pre></noscript>", self.html, re.S)[1]
        timeline = run("show", "--width", "110", ORIGIN).out
        self.assertEqual(plain, timeline.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))

    def test_a_long_timeline_is_cut_with_words(self):
        page = self.report("long", story(200))
        html = page.read_text(encoding="utf-8")
        plain = re.search(r"<noscript><pre>\n(.*?)</pre></noscript>", html, re.S)[1]
        self.assertRegex(plain, r"--- \d+ more octets of this timeline can be read with JavaScript on ---")
        packed = re.search(r'id="records">([^<]*)</script>', html)[1]
        self.assertLess(len(html) - len(packed) - len(plain), 150_000)

    def test_only_what_was_asked_for(self):
        page = self.report("only", story(), options=("--only-annotated", "--severity", "warning"))
        self.open(page)
        keys = self.script("return [...document.querySelectorAll('tr[data-key]')].map((row) => row.dataset.key)")
        self.assertEqual(keys, ["35", "25", "15", "5"])
        self.browser.get(f"{page.as_uri()}#s=5&e=1")
        self.wait("return document.querySelector('.hex')")

    def test_whether_it_is_redacted(self):
        self.open(self.page)
        self.assertIn("not redacted", self.text(".top"))
        redacted = self.folder / "redacted.smtpcap"
        self.assertEqual(run("redact", ORIGIN, "-o", redacted, "--force").code, 0)
        self.open(self.report("redacted", redacted))
        self.assertIn("redacted: names are pseudonyms", self.text(".top"))
        self.assertNotIn("alice@example.com", self.script("return document.documentElement.outerHTML"))

    def test_the_folder_for_a_bug_report_has_it(self):
        folder = self.folder / "folder"
        done = run("report", ORIGIN, "-o", folder)
        self.assertEqual(done.code, 0, done.err)
        self.assertIn("report.html", done.out)
        self.open(folder / "report.html", "#s=1")
        self.assertIn("redacted", self.text(".top"))
        self.assertIn("1 never sent", self.text("h1"))


class Views(PageTest):
    def overflow(self):
        return self.script("return document.documentElement.scrollWidth - innerWidth")

    def test_nothing_sticks_out_at_any_size(self):
        page = self.report("views", story())
        for width, height in SIZES:
            for media, dark in (("", False), ("", True), ("print", False)):
                self.resize(width, height, media, dark)
                self.open(page)
                for fragment in ("", "#q=outcome%3Arefused", "#q=nobodyhome", "#s=5", "#s=5&e=3", "#s=1"):
                    with self.subTest(width=width, media=media, dark=dark, fragment=fragment):
                        self.script("location.hash = arguments[0]", fragment)
                        self.wait("return !!document.querySelector('.tl') === arguments[0].startsWith('#s')", fragment)
                        self.assertLessEqual(self.overflow(), 0)

    def test_no_session_at_all(self):
        self.resize(1280, 800)
        self.open(self.report("empty", Capture()))
        self.assertIn("No sessions", self.text("h1"))
        self.assertIn("This report holds no session", self.text(".empty"))
        self.assertEqual((self.text(".answer"), self.text(".chips")), ("No sessions.", ""))

    def test_an_address_reads_from_its_local_part_to_its_domain_in_any_script(self):
        self.resize(1280, 800)
        capture = Capture()
        octets = "\u05d0\u05dc\u05d9\u05e1@\u05d3\u05d5\u05d0\u05e8.example".encode().decode("latin-1")
        refused_session(capture, 1, sender=octets)
        refused_session(capture, 2, 1000, sender="x" * 60 + "@" + "y" * 60 + ".example", recipient="z" * 90 + "@example.net")
        self.open(self.report("addresses", capture))
        parts = self.script("return [...document.querySelectorAll('tr[data-key=\"1\"] .fr bdi')].map((one) => [one.innerText, one.getBoundingClientRect().left])")
        self.assertEqual([text for text, _ in parts], ["\u05d0\u05dc\u05d9\u05e1", "\u05d3\u05d5\u05d0\u05e8.example"])
        self.assertLess(parts[0][1], parts[1][1])
        # Of two long ones both are seen.
        for end in ("fr", "to"):
            self.assertGreater(self.script("return document.querySelector(`tr[data-key='2'] .${arguments[0]}`).clientWidth", end), 60)

    def test_the_answer_comes_first(self):
        self.resize(1280, 800)
        self.open(self.report("answer", story()))
        self.assertIn("40 sessions: 8 went wrong", self.text("h1"))
        self.open(self.report("origin", ORIGIN), "#s=1")
        self.assertIn("2 messages: 1 delivered, 1 never sent", self.text("h1"))
        self.assertIn("may be speaking for the client side", self.text(".sure"))

    def test_of_many_sessions_more_come_as_one_scrolls(self):
        self.resize(1280, 800)
        self.open(self.report("many", story(700)))
        count = "return document.querySelectorAll('tr[data-key]').length"
        self.assertLess(self.script(count), 700)
        self.wait("scrollTo(0, document.body.scrollHeight); " + count + " === 700")


class Choosing(PageTest):
    def setUp(self):
        self.resize(1280, 800)
        self.page = self.report("origin", ORIGIN)

    def chosen(self):
        return self.text("tr[aria-current=true]")

    def test_a_link_into_the_page(self):
        self.open(self.page, "#s=1&e=8")
        self.assertIn("RSET", self.chosen())
        self.assertIn("Entry 8", self.text(".pane"))
        self.assertIn("52 53 45 54 0d 0a", self.text(".hex"))
        self.assertIn("forget sender and recipients", self.text(".pane"))

    def test_a_finding_shows_what_proves_it(self):
        self.open(self.page, "#s=1&f=9")
        self.assertIn("interception-suspected", self.text(".pane"))
        self.assertEqual(len(self.texts("tr.prf")), 3)
        self.assertEqual(len(self.texts(".pane .pr li")), 3)

    def test_a_folded_finding_can_be_linked_to(self):
        self.open(self.page, "#s=1&f=2")
        self.assertIn("part of", self.chosen())

    def test_keys(self):
        self.open(self.page)
        self.press("j")
        self.press(Keys.ENTER)
        self.wait("return location.hash.startsWith('#s=1')")
        self.wait("return document.querySelector('tr[aria-current=true]')")
        self.press("]")
        self.wait("return document.querySelector('.pane').innerText.includes('interception-suspected')")
        self.press("[")
        self.wait("return document.querySelector('.pane').innerText.includes('txn-replayed-after-rset')")
        self.press("[")
        self.wait("return document.querySelector('.pane').innerText.includes('helo-fallback')")
        self.press("j")
        self.wait("return document.querySelector('.pane').innerText.includes('Entry 4')")
        self.assertIn("MAIL FROM", self.chosen())
        self.press("k")
        self.press("?")
        self.wait("return document.querySelector('dialog').open")
        self.press(Keys.ESCAPE)
        self.wait("return !document.querySelector('dialog').open")
        self.press(Keys.ESCAPE)
        self.wait("return document.querySelector('.list')")
        self.press("/")
        self.press("nobody-has-said-this")
        self.wait("return document.querySelector('.empty').innerText.includes('No session matches')")

    def test_going_back(self):
        self.open(self.page)
        self.script("document.querySelector('tr[data-key=\"1\"] a').click()")
        self.wait("return document.querySelector('.tl')")
        self.browser.back()
        self.wait("return document.querySelector('.list')")

    def test_silence_and_mail_data(self):
        self.open(self.page, "#s=1")
        self.script("document.querySelectorAll('tr.sil')[1].click()")
        self.assertIn("10.003 s", self.text(".pane"))
        self.open(self.page, "#s=1&e=18")
        self.assertIn("mail data", self.text(".pane .say"))
        self.assertIn("400 octets", self.text(".pane"))
        self.assertIn("Subject", self.text(".pane .fields"))
        self.assertIn("text/plain", self.text(".pane .parts"))

    def test_masked_octets_are_marked(self):
        capture = Capture()
        capture.open(0, 1)
        capture.server(1, 1, "220 mx ESMTP\r\n")
        capture.client(2, 1, "EHLO a\r\n")
        capture.server(3, 1, "250-mx\r\n250 AUTH PLAIN\r\n")
        capture.client(4, 1, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n")
        capture.server(5, 1, "235 ok\r\n")
        capture.end(6, 1)
        self.open(self.report("masked", capture), "#s=1&e=4")
        self.assertIn("20 octets hidden", self.text(".pane .say"))
        self.assertEqual(len(self.texts(".hex .m")), 40)
        self.assertNotIn("AGFsaWNl", self.script("return document.body.innerHTML"))

    def test_dark_and_light(self):
        self.resize(1280, 800, dark=True)
        self.open(self.page)
        ground = "return getComputedStyle(document.body).backgroundColor"
        dark = self.script(ground)
        self.script("document.querySelector('.top button[aria-label=\"Dark or light\"]').click()")
        self.assertNotEqual(self.script(ground), dark)


class CompareAndRun(PageTest):
    def setUp(self):
        self.resize(1280, 800)
        self.page = self.report("two", story())

    def test_compare(self):
        self.open(self.page, "#diff=5,5")
        self.assertIn("The two sessions say the same", self.text("h1"))
        self.open(self.page, "#diff=5,15")  # only the name in EHLO differs
        self.assertEqual(self.text("h1"), "1 line in other words")
        self.open(self.page, "#diff=4,5")
        self.assertIn("only in the second", self.text("h1"))
        signs = self.texts(".cmp tbody td.m")
        self.assertEqual(len([one for one in signs if one.startswith("+")]), 14)
        # Both end alike, however much stands between.
        self.assertEqual(self.texts(".cmp tbody tr.same td.x")[-4:], ["CQUIT", "CQUIT", "S221 bye", "S221 bye"])
        self.press("v")
        self.wait("return document.querySelector('.cmp .fold')")

    def test_another_answer(self):
        one, two = Capture(), Capture()
        refused_session(one, 1)
        refused_session(two, 1, reply="250 2.1.5 Ok")
        self.open(self.report("answers", one, two), "#diff=1,2.1")
        self.assertIn("1 line answered otherwise", self.text("h1"))

    def test_delivered_but_cut_short(self):
        """A mail that arrived as half of itself counts as gone wrong, and the chips begin with what is gravest."""
        capture = Capture()
        for session in (1, 2):
            quiet_session(capture, session)
        capture.open(100, 3)
        for side, text in (("server", "220 mx"), ("client", "HELO c"), ("server", "250 mx"),
                           ("client", "MAIL FROM:<a@example.com>"), ("server", "250 ok"),
                           ("client", "RCPT TO:<b@example.net>"), ("server", "250 ok"), ("client", "DATA"),
                           ("server", "354 go"), ("client", "Subject: x\r\n\r\none\r\n.\r\ntwo\r\nthree\r\nfour\r\nfive\r\n."),
                           ("server", "250 taken"), *[("server", "502 what?")] * 5):
            capture.event(100, 3, "bytes", **{"from": side, "data": text + "\r\n"})
        capture.event(101, 3, "close", **{"from": "client", "kind": "fin"})
        capture.event(101, 3, "end")
        self.open(self.report("cut", capture))
        self.assertEqual(self.text("h1"), "3 sessions: 1 went wrong.")
        row = self.text("tr[data-key='3'] .out")
        self.assertIn("delivered", row)
        self.assertIn("cut short", row)
        self.assertTrue(self.texts(".chips .lab + .chip")[-1].startswith("content-parsed-as-commands"))

    def test_what_stood_still(self):
        capture = Capture()
        quiet_session(capture, 1)
        capture.lines.insert(-1, capture.lines[-1].replace('"e": "end"', '"e": "stalled", "since": 1000000'))
        self.open(self.report("stalled", capture), "#s=1")
        self.assertIn("smtpscope itself was stalled for", self.text(".tl"))
        self.assertNotIn("undefined", self.text(".tl"))

    def test_choosing_what_to_compare(self):
        self.open(self.page)
        self.script("[...document.querySelectorAll('.top nav a')].find((one) => one.innerText === 'Compare').click()")
        self.wait("return document.querySelector('.cmp')")
        self.script("const input = document.querySelector('.cmp input'); input.value = '3'; input.dispatchEvent(new Event('change'))")
        self.wait("return location.hash === '#diff=3,40'")
        self.assertIn("session 3", self.text(".cmp thead"))

    def test_run(self):
        self.open(self.page, "#run")
        self.assertIn("40 sessions, 8 went wrong", self.text("h1"))
        sums = self.text(".sums")
        for words in ("refused", "txn-replayed-after-rset", "recipient-unknown", "the reply to MAIL", "Longest silences", "192.0.2.40"):
            self.assertIn(words, sums)
        # Links in the columns of numbers are seen whole.
        self.assertEqual(self.script("""return [...document.querySelectorAll('.sums td.num a')].filter((link) => {
            const range = document.createRange();
            range.selectNodeContents(link);
            return range.getBoundingClientRect().right > link.closest('td').getBoundingClientRect().right; }).length"""), 0)
        self.script("[...document.querySelectorAll('.sums a')].find((one) => one.innerText === 'refused').click()")
        self.wait("return document.querySelector('#filter')?.value === 'outcome:refused'")
        self.assertEqual(len(self.texts("tr[data-key]")), 4)
        self.script("location.hash = '#run'")
        self.wait("return document.querySelector('h1').innerText.includes('4 sessions, 4 went wrong')")

    def test_they_fit(self):
        for width, height in SIZES:
            self.resize(width, height)
            for fragment in ("#diff=4,5", "#run"):
                self.open(self.page, fragment)
                self.assertLessEqual(self.script("return document.documentElement.scrollWidth - innerWidth"), 0, fragment)

    def test_markdown(self):
        self.open(self.report("origin", ORIGIN), "#s=1")
        self.script("""window.copied = null;
            Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text } } })""")
        self.press("m")
        text = self.wait("return window.copied")
        self.assertTrue(text.startswith("**Session 1**, 23 Nov 2026 22:38:43.026 UTC"), text)
        self.assertIn("C  MAIL FROM:<alice@example.com>", text)
        self.assertIn("warning txn-replayed-after-rset", text)
        self.assertEqual(text.count("```"), 2)

    def test_export(self):
        self.open(self.page, "#q=outcome%3Arefused")
        self.script("window.saved = []; URL.createObjectURL = (blob) => { blob.text().then((text) => window.saved.push(text)); return '#'; }")
        self.script("[...document.querySelectorAll('.top .btn')].find((one) => one.innerText === 'Export').click()")
        self.assertIn("smtpscope redact", self.text("dialog[open]"))
        self.script("[...document.querySelectorAll('dialog[open] .btn')].find((one) => one.innerText.startsWith('Save 4')).click()")
        saved = self.wait("return window.saved[0]")
        self.assertEqual({record["session"] for record in map(json.loads, saved.splitlines()) if record.get("session")}, {3, 13, 23, 33})


if __name__ == "__main__":
    unittest.main()
