// One run seen from two places: what something in between did, in the lines of diff --taps.

import { el } from "./elements.js";
import { counted, ours } from "./words.js";

const SIGNS = { same: "", differs: "|", "near-client": "<", "near-server": ">", words: "" };
const MEANS = { same: "the same", differs: "seen otherwise", "near-client": "only near the client", "near-server": "only near the server", words: "" };
const CONTEXT = 2;  // lines shown around what differs

export class TapsView {
  constructor(app) {
    this.app = app;
    this.element = el("main", { id: "main", class: "compare taps" });
    this.all = false;
  }

  close() {}
  tick() {}
  refresh() {}

  key(event) {
    if (event.key !== "v") return false;
    this.all = !this.all;
    this.draw();
    return true;
  }

  open(state) {
    this.number = Number(state.taps) || 1;
    this.draw();
  }

  // Sessions of the second file are "2.1" here.
  static key(near, session) { return near === "near_client" ? String(session) : "2." + session; }

  cell(near, cell) {
    if (!cell) return [el("td", { class: "t" }), el("td", { class: "x no" })];
    const text = [cell.speaker && el("span", { class: "who " + (cell.speaker === "C" ? "c" : "s") }, cell.speaker), ours(cell.text)];
    return [el("td", { class: "t" }, cell.time), el("td", { class: "x" },
      cell.entry ? el("a", { href: `#s=${TapsView.key(near, cell.session)}&e=${cell.entry}` }, text) : text)];
  }

  draw() {
    const { taps } = this.app.records;
    if (!taps || !taps.dialogues.length) {
      this.element.replaceChildren(el("div", { class: "answer" }, el("h1", {}, "There are no two taps to compare."), el("p", {}, "smtpscope view --taps NEAR-CLIENT NEAR-SERVER shows them.")));
      return;
    }
    const index = Math.min(Math.max(1, this.number), taps.dialogues.length) - 1;
    const dialogue = taps.dialogues[index];
    const named = (near) => dialogue[near].map((id) => TapsView.key(near, id));
    const chooser = taps.dialogues.length > 1 && el("nav", { class: "chips", "aria-label": "Dialogues" }, taps.dialogues.map((one, i) =>
      el("a", { class: "chip", href: "#taps=" + (i + 1), "aria-current": i === index ? "page" : null },
        `session ${one.near_client.join(", ")} `, el("b", {}, one.changes ? counted(one.changes, "change") : "the same"))));
    const rows = [];
    let folded = 0;
    const fold = () => {
      if (folded) rows.push(el("tr", { class: "fold" }, el("td", { colspan: 5 }, `${counted(folded, "line")} the same`)));
      folded = 0;
    };
    const tells = (line) => line.mark !== "same" || line.note;
    dialogue.lines.forEach((line, i) => {
      if (!this.all && !dialogue.lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(tells)) { folded += 1; return; }
      fold();
      if (line.mark !== "words") {
        rows.push(el("tr", { class: { same: "same", differs: "changed", "near-client": "left", "near-server": "right" }[line.mark] }, ...this.cell("near_client", line.near_client),
          el("td", { class: "m", title: MEANS[line.mark] || null }, SIGNS[line.mark], el("span", { class: "vh" }, MEANS[line.mark]), line.between && el("span", { class: "bt" }, line.between)),
          ...this.cell("near_server", line.near_server)));
      }
      if (line.note) rows.push(el("tr", { class: "note" }, el("td", { colspan: 5 }, ours(line.note))));
    });
    fold();
    const top = (near, where) => el("th", { colspan: 2, scope: "col" }, el("b", {}, ours(taps[near])), ` ${where}: `,
      named(near).map((key, i) => [i > 0 && ", ", el("a", { href: "#s=" + key }, "session " + key)]));
    const [first, ...rest] = taps.verdict;
    this.element.replaceChildren(el("div", { class: "answer" }, el("h1", {}, ours(first || "Nothing between the two taps changed anything.")),
      rest.map((text) => el("p", {}, ours(text)))),
    chooser || "", el("button", { class: "btn", type: "button", "aria-pressed": String(this.all), onclick: () => this.key({ key: "v" }) }, "All lines"),
    el("table", { class: "cmp tp" }, el("colgroup", {}, ["t", "x", "m", "t", "x"].map((name) => el("col", { class: name }))),
      el("thead", {}, el("tr", {}, top("near_client", "near the client"), el("th", {}, el("span", { class: "vh" }, "How they differ, and what it took in between")), top("near_server", "near the server"))),
      el("tbody", {}, rows)));
  }
}
