#!/usr/bin/env python3
"""Whoever writes a banner or a mail must not write the page: what came off the wire changes nothing but text."""

import unittest

from browser import Capture, PageTest

EVIL = ["<script>document.title='owned'</script>", "</script><img src=x onerror=\"document.title='owned'\">",
        "<!--", "<![CDATA[", "javascript:document.title='owned'", "\"><svg onload=document.title='owned'>",
        "{{constructor.constructor('return 1')()}}", "__proto__", "constructor", "&lt;b&gt;", "\u202egnp.exe\u202c", "\u200bhidden\u2066",
        "</noscript><script>document.title='owned'</script>", "</pre></noscript><h1 id=evil>evil</h1>", "\u05e9\u05dc\u05d5\u05dd",
        "\x1b[31mred\x1b[0m", "\x00NUL", "\x9b1m"]


def hostile():
    capture = Capture()
    for session, evil in enumerate(EVIL, 1):
        at = session * 1000
        told = evil
        capture.event(at, session, "open", client=told, listener="127.0.0.1:2525", upstream=told)
        capture.event(at, session, "connected", server=told, took=10**6)
        # A capture's data has a character for each octet.
        evil = evil.encode().decode("latin-1")
        capture.server(at + 1, session, f"220 {evil}\r\n")
        capture.client(at + 2, session, f"EHLO {evil}\r\n")
        capture.server(at + 3, session, f"250-{evil}\r\n250 {evil}\r\n")
        capture.client(at + 4, session, f"MAIL FROM:<{evil}>\r\n")
        capture.server(at + 5, session, "250 ok\r\n")
        capture.client(at + 6, session, f"RCPT TO:<{evil}>\r\n")
        capture.server(at + 7, session, "250 ok\r\n")
        capture.client(at + 8, session, "DATA\r\n")
        capture.server(at + 9, session, "354 go\r\n")
        capture.client(at + 10, session, f"Subject: {evil}\r\n{evil}: x\r\nContent-Type: multipart/mixed; boundary=\"{evil}\"\r\n\r\n"
                       f"--{evil}\r\nContent-Type: text/html; name=\"{evil}\"\r\n\r\n{evil}\r\n--{evil}--\r\n.\r\n")
        capture.server(at + 11, session, f"550 5.7.1 {evil}\r\n")
        capture.client(at + 12, session, f"{evil}\r\n")
        capture.server(at + 13, session, f"{evil}\r\n")
        capture.end(at + 14, session)
    return capture


class Hostile(PageTest):
    def assert_unharmed(self):
        self.assertNotIn("owned", self.browser.title)
        found = self.script("""return {
            scripts: [...document.scripts].filter((one) => one.type !== 'application/octet-stream').length,
            images: document.images.length, frames: frames.length, evil: !!document.getElementById('evil'),
            handlers: [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some((a) => a.name.startsWith('on'))).length,
            links: [...document.querySelectorAll('a')].filter((one) => !one.getAttribute('href').startsWith('#')).map((one) => one.href),
            bidi: /[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]/.exec(document.body.innerText)?.[0] }""")
        self.assertEqual(found, {"scripts": 1, "images": 0, "frames": 0, "evil": False, "handlers": 0, "links": [], "bidi": None})

    def test_every_view(self):
        page = self.report("hostile", hostile())
        self.open(page)
        self.assert_unharmed()
        for session in range(1, len(EVIL) + 1):
            with self.subTest(evil=EVIL[session - 1]):
                self.browser.get(f"{page.as_uri()}#s={session}")
                self.wait("return document.querySelector('.crumb')?.innerText.includes('session ' + arguments[0])", session)
                count = self.script("return document.querySelectorAll('tr[data-i]').length")
                self.assertGreater(count, 10)
                for index in range(count):
                    self.script("document.querySelector(`tr[data-i='${arguments[0]}']`).click()", index)
                self.script("document.querySelectorAll('.pane .btn').forEach((one) => one.click())")
                self.assert_unharmed()

    def test_the_file_has_one_script_whatever_is_in_it(self):
        html = self.report("hostile", hostile()).read_text(encoding="utf-8")
        self.assertEqual(html.lower().count("<script"), 2)
        self.assertEqual(html.lower().count("</noscript"), 1)
        self.assertNotIn("\u202e", html)

    def test_a_line_of_a_megabyte(self):
        capture = Capture()
        capture.open(0, 1)
        capture.server(1, 1, "220 " + "x" * 1_000_000 + "\r\n")
        capture.client(2, 1, "EHLO " + "y" * 1_000_000 + "\r\n")
        capture.end(3, 1)
        self.resize(390, 844)
        self.open(self.report("long", capture), "#s=1&e=2")
        self.assert_unharmed()
        self.assertLessEqual(self.script("return document.documentElement.scrollWidth - innerWidth"), 0)


if __name__ == "__main__":
    unittest.main()
