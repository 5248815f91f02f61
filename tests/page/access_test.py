#!/usr/bin/env python3
"""Who cannot see well, or has no mouse: contrast, names, roles, and a way to everything by keyboard."""

import unittest

from browser import ROOT, Capture, Keys, PageTest, refused_session, replayed_session

# WCAG 2.1: contrast 1.4.3 of each piece of text that is seen; names 4.1.2; one heading and one main region.
LOOK = r"""
const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (text) => (text.match(/[\d.]+/g) || []).map(Number);
const over = (top, below) => { const a = top[3] === undefined ? 1 : top[3]; return [0, 1, 2].map((i) => top[i] * a + below[i] * (1 - a)); };
function ground(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const color = numbers(getComputedStyle(at).backgroundColor);
    if (color[3] !== 0) layers.push(color);
    if (color.length === 3 || color[3] === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
}
const wrong = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, element = node.parentElement;
  if (!node.data.trim() || element.closest('.vh, .skip, script, noscript, [hidden], dialog:not([open]), option')) continue;
  const style = getComputedStyle(element), range = document.createRange();
  range.selectNode(node);
  if (style.visibility === 'hidden' || !range.getClientRects().length || style.backgroundImage !== 'none') continue;
  const text = over(numbers(style.color), ground(element)), below = ground(element);
  const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
  const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)} of "${node.data.trim().slice(0, 30)}" in ${element.tagName}.${element.className}`);
}
const named = (one) => one.getAttribute('aria-label') || one.innerText.trim() || one.title || one.querySelector('[aria-label]') || [...(one.labels || [])].length;
for (const one of document.querySelectorAll('a, button, input, textarea, select, summary, dialog, table')) {
  if (one.getClientRects().length && !named(one)) wrong.push(`no name: ${one.outerHTML.slice(0, 80)}`);
}
for (const one of document.querySelectorAll('svg')) if (one.getAttribute('role') === 'img' ? !one.getAttribute('aria-label') : one.getAttribute('aria-hidden') !== 'true' && !one.getAttribute('aria-label')) wrong.push(`picture without words: ${one.outerHTML.slice(0, 80)}`);
const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push('twice: ' + id);
for (const [selector, what] of [['main', 1], ['main h1', 1], ['html[lang]', 1]]) {
  const seen = [...document.querySelectorAll(selector)].filter((one) => !one.closest('dialog')).length;
  if (seen !== what) wrong.push(`${seen} of ${selector}`);
}
for (const one of document.querySelectorAll('[aria-describedby], [aria-labelledby]')) {
  for (const id of (one.getAttribute('aria-describedby') || one.getAttribute('aria-labelledby')).split(' ')) if (!document.getElementById(id)) wrong.push('points to nothing: ' + id);
}
return [...new Set(wrong)];
"""


class Access(PageTest):
    def setUp(self):
        capture = Capture()
        for session in range(1, 7):
            made = refused_session if session % 2 else replayed_session
            made(capture, session, session * 1000)
        self.page = self.report("access", capture)

    def test_every_view(self):
        for dark in (False, True):
            self.resize(1280, 800, dark=dark)
            self.open(self.page)
            for fragment in ("#", "#q=code%3A%3A", "#q=nobody", "#s=1", "#s=2&e=3", "#s=2&f=1", "#diff=1,2", "#run"):
                with self.subTest(dark=dark, fragment=fragment):
                    self.script("location.hash = arguments[0]", fragment)
                    self.wait("return document.querySelector('main.' + arguments[0])",
                              {"#s": "session", "#d": "compare", "#r": "run"}.get(fragment[:2], "sessions"))
                    self.assertEqual(self.script(LOOK), [])
        self.open(self.page, "#s=2")
        for key, words in (("?", "Keys"), ("e", "Export")):
            self.press(key)
            self.wait("return document.querySelector('dialog[open]')?.innerText.includes(arguments[0])", words)
            self.assertEqual(self.script(LOOK), [])
            self.press(Keys.ESCAPE)
            self.wait("return !document.querySelector('dialog[open]')")

    def test_everything_is_reached_with_tab(self):
        self.resize(1280, 800)
        self.open(self.page, "#s=2")
        reached = set()
        for _ in range(60):
            self.press(Keys.TAB)
            seen = self.script("""const one = document.activeElement, style = getComputedStyle(one);
                return [one.getAttribute('aria-label') || one.innerText.trim().slice(0, 20) || one.tagName, one === document.body || style.outlineStyle !== 'none']""")
            self.assertTrue(seen[1], f"no focus to be seen: {seen[0]}")
            reached.add(seen[0])
        for words in ("To the content", "Sessions", "Compare", "Run", "Export", "Help", "Dark or light"):
            self.assertIn(words, reached)
        # The chosen line of the timeline, and what the panel has to press.
        self.assertIn("The line before", reached)

    def test_of_the_origin_story(self):
        for dark in (False, True):
            self.resize(1280, 800, dark=dark)
            self.open(self.report("origin", ROOT / "examples" / "origin.smtpcap"), "#s=1")
            self.assertEqual(self.script(LOOK), [])


if __name__ == "__main__":
    unittest.main()
