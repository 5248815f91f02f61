#!/usr/bin/env python3
"""The facts of the page are those of the JSON, session by session, for every transcript of the project."""

import os
import subprocess
import unittest

from browser import PageTest, records

# Opens each session in turn and gives what stands there.
READ = """
const done = arguments[arguments.length - 1];
(async () => {
  const all = [];
  for (const key of arguments[0]) {
    const turned = new Promise((tell) => addEventListener("hashchange", tell, { once: true }));
    location.hash = "#s=" + key;
    await turned;
    dispatchEvent(new Event("beforeprint"));  // draws rows that are far from what is in sight
    const text = (row, name) => row.querySelector("td." + name)?.textContent ?? "";
    const rows = [...document.querySelectorAll("tr[data-i]")];
    all.push({
      crumb: document.querySelector(".crumb").textContent,
      verdict: document.querySelector(".verdict h1").textContent + " " + (document.querySelector(".sure")?.textContent ?? ""),
      entries: rows.filter((row) => row.matches(".e:not(.evt)")).map((row) => [text(row, "t"), text(row, "x")]),
      findings: rows.filter((row) => row.matches(".f")).map((row) => row.querySelector("code").textContent),
      silences: rows.filter((row) => row.matches(".sil:not(.w)")).map((row) => text(row, "t")),
      results: rows.filter((row) => row.matches(".r")).map((row) => text(row, "x")).filter((one) => one.startsWith("transaction ")),
      closes: rows.filter((row) => row.querySelector(".end")).length,
    });
  }
  done(all);
})();
"""


def since(session, time):
    ms = max(0, time - session["began_ns"]) // 1_000_000
    return f"+{ms // 1000}.{ms % 1000:03}"


def seconds(ns):
    if 999_500_000 <= ns < 120_000_000_000:
        return f"{ns / 1e9:.{2 if ns < 10e9 else 1}f} s"
    return None


class Facts(PageTest):
    def test_every_transcript(self):
        captures = self.folder / "captures"
        captures.mkdir()
        subprocess.run([os.environ["TRANSCRIPT_CAPTURES"], captures], check=True)
        files = sorted(captures.iterdir())
        self.assertGreater(len(files), 200)
        document = records(*files)
        keys = []
        for session in document["sessions"]:
            run = session["run"] + 1
            keys.append(f"{run}.{session['session']}" if run > 1 else str(session["session"]))
        self.open(self.report("transcripts", *files))
        self.assertIn(f"{len(keys)} sessions", self.text("h1"))
        self.browser.set_script_timeout(280)
        pages = self.browser.execute_async_script(READ, keys)
        self.assertEqual(len(pages), len(keys))
        for key, session, page in zip(keys, document["sessions"], pages):
            name = files[session["run"]].name
            with self.subTest(session=key, capture=name):
                self.same(session, page)

    def same(self, session, page):
        session["began_ns"] = session["time_ns"]
        self.assertEqual([since(session, entry["first_ns"]) for entry in session["entries"]], [time for time, _ in page["entries"]])
        for entry, (_, text) in zip(session["entries"], page["entries"]):
            letter = "P" if entry.get("by_proxy") else "C" if entry["side"] == "client" else "S"
            self.assertEqual(text[0], letter, text)
            if entry["kind"] == "reply":
                self.assertIn(f"{entry['code']:03}", text)
            if entry["kind"] == "mail-data" and not entry["facts"].get("unseen"):
                self.assertIn(f"{entry['facts']['octets']} octet", text)
            if entry.get("hidden_octets"):
                self.assertIn(f"{entry['hidden_octets']} octet", text)
        folds = {fold["number"] for fold in session.get("folds", [])}
        standing = [one["rule"] for one in session["annotations"] if "folded_under" not in one and one["number"] not in folds]
        # A plain gap says no more than the silence that is drawn.
        plain = {"gap-client", "gap-server"}
        self.assertEqual([rule for rule in standing if rule not in plain], [rule for rule in page["findings"] if rule not in plain])
        self.assertEqual(len(session["silences"]), len(page["silences"]))
        for silence, words in zip(session["silences"], page["silences"]):
            if seconds(silence["length_ns"]):
                self.assertEqual(words, seconds(silence["length_ns"]))
        self.assertEqual([f"transaction {one['number']}: {one['outcome']}" for one in session["transactions"]],
                         [words.split(",")[0].split(" by ")[0] for words in page["results"]])
        self.assertEqual(len(session["closes"]), page["closes"])
        if session["complete"]:
            lead = next(line["text"] for line in session["end"]["verdict"] if line["kind"] == "lead")
            for word in lead.replace("possible, not proven: ", "").replace("likely: ", "").split():
                if "\\" not in word and word.isascii():
                    self.assertIn(word.strip(";:").lower(), page["verdict"].lower())


if __name__ == "__main__":
    unittest.main()
