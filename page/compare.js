// Two sessions side by side, aligned as diff aligns them: by what was said to do, not by its words.

import { el } from "./elements.js";
import { leadOf } from "./facts.js";
import { entryText } from "./timeline.js";
import { brief, counted, day, clock, ours, sinceStart } from "./words.js";

const MOST = 4_000_000;          // cells of the table of alignments
const APART = 100e6;             // waits that differ by this are said to, ns

// What an entry is for: the same in two sessions although names, ids and dates differ.
function purpose(entry) {
  if (entry.kind === "reply") return "S " + entry.answers + " " + (entry.answers_verb || "");
  if (entry.kind === "command") return "C " + (entry.verb || entry.text.split(" ", 1)[0].toUpperCase());
  return entry.side + " " + entry.kind;
}

// Pairs [a, b]; null where one has nothing beside it. The longest common sequence; of sessions too long
// for that the beginning and the end.
export function align(left, right) {
  const a = left.map(purpose), b = right.map(purpose);
  let begin = 0;
  while (begin < a.length && begin < b.length && a[begin] === b[begin]) ++begin;
  let tail = 0;
  while (tail < a.length - begin && tail < b.length - begin && a[a.length - 1 - tail] === b[b.length - 1 - tail]) ++tail;
  const pairs = [];
  for (let i = 0; i < begin; ++i) pairs.push([left[i], right[i]]);
  const n = a.length - tail - begin, m = b.length - tail - begin;
  if (n * m <= MOST) {
    const best = new Uint32Array((n + 1) * (m + 1));
    for (let i = n - 1; i >= 0; --i) {
      for (let j = m - 1; j >= 0; --j) {
        best[i * (m + 1) + j] = a[begin + i] === b[begin + j] ? best[(i + 1) * (m + 1) + j + 1] + 1
          : Math.max(best[(i + 1) * (m + 1) + j], best[i * (m + 1) + j + 1]);
      }
    }
    let i = 0, j = 0;
    while (i < n || j < m) {
      if (i < n && j < m && a[begin + i] === b[begin + j]) pairs.push([left[begin + i++], right[begin + j++]]);
      else if (j >= m || (i < n && best[(i + 1) * (m + 1) + j] >= best[i * (m + 1) + j + 1])) pairs.push([left[begin + i++], null]);
      else pairs.push([null, right[begin + j++]]);
    }
  } else {
    for (let i = 0; i < n; ++i) pairs.push([left[begin + i], null]);
    for (let j = 0; j < m; ++j) pairs.push([null, right[begin + j]]);
  }
  for (let i = tail; i > 0; --i) pairs.push([left[left.length - i], right[right.length - i]]);
  return pairs;
}

// "same", "wait" (only the time differs), "changed", "left", "right"
export function kindOf([a, b]) {
  if (!a) return "right";
  if (!b) return "left";
  const same = entryText(a) === entryText(b);
  if (!same) return a.kind === "reply" && Math.floor(a.code / 100) !== Math.floor(b.code / 100) ? "changed code" : "changed";
  return Math.abs(a.since_previous_ns - b.since_previous_ns) >= APART ? "wait" : "same";
}

const SIGNS = { same: "", wait: "◷", changed: "~", "changed code": "≠", left: "−", right: "+" };
const MEANS = { same: "the same", wait: "the same, another wait", changed: "other words", "changed code": "another answer", left: "only in the first", right: "only in the second" };

export class CompareView {
  constructor(app) {
    this.app = app;
    this.element = el("main", { id: "main", class: "compare" });
    this.onlyDifferent = false;
    this.drawn = false;
  }

  close() {}
  tick() {}
  // One that was asked for may be read only now.
  refresh() { if (!this.drawn) this.open(this.state); }

  key(event) {
    if (event.key !== "v") return false;
    this.onlyDifferent = !this.onlyDifferent;
    this.draw();
    return true;
  }

  open(state) {
    this.state = state;
    const keys = [...this.app.records.sessions.keys()];
    const [a, b] = (state.diff || "").split(",");
    this.keys = [a || keys[keys.length - 2] || keys[0], b || keys[keys.length - 1]];
    this.draw();
  }

  chooser(which) {
    const input = el("input", { type: "text", class: "mono", value: this.keys[which] || "", size: 8, "aria-label": which ? "The second session" : "The first session",
      onchange: () => {
        if (!this.app.records.sessions.has(input.value.trim())) { input.setAttribute("aria-invalid", "true"); return; }
        const keys = [...this.keys];
        keys[which] = input.value.trim();
        location.hash = "#diff=" + keys.join(",");
      } });
    return input;
  }

  draw() {
    const sessions = this.keys.map((key) => this.app.records.sessions.get(key));
    this.drawn = Boolean(sessions[0] && sessions[1]);
    if (!this.drawn) {
      const missing = this.keys.filter((key) => key && !this.app.records.sessions.has(key));
      this.element.replaceChildren(el("div", { class: "answer" },
        el("h1", {}, missing.length ? `There is no session ${missing.join(" and ")} here.` : "There are no two sessions to compare.")));
      return;
    }
    const pairs = align([...sessions[0].entries.values()], [...sessions[1].entries.values()]);
    const kinds = pairs.map(kindOf);
    const number = (kind) => kinds.filter((one) => one === kind).length;
    const told = [["changed code", "answered otherwise"], ["left", "only in the first"], ["right", "only in the second"], ["changed", "in other words"], ["wait", "after another wait"]]
      .filter(([kind]) => number(kind)).map(([kind, words]) => `${counted(number(kind), "line")} ${words}`);
    const what = (session) => { const lead = leadOf(session); return lead.what || (session.end ? "" : "open"); };
    const cell = (entry, session, other) => {
      if (!entry) return [el("td", { class: "t" }), el("td", { class: "x no" })];
      const apart = other && Math.abs(entry.since_previous_ns - other.since_previous_ns) >= APART;
      return [el("td", { class: "t" }, sinceStart(entry.first_ns - session.began), el("span", { class: apart ? "d apart" : "d" }, brief(entry.since_previous_ns))),
        el("td", { class: "x" }, el("a", { href: `#s=${session.key}&e=${entry.number}` }, el("span", { class: "who " + (entry.side === "client" ? "c" : "s") }, entry.side === "client" ? "C" : "S"), entryText(entry)))];
    };
    const rows = [];
    let folded = 0;
    const fold = () => {
      if (folded) rows.push(el("tr", { class: "fold" }, el("td", { colspan: 5 }, `${counted(folded, "line")} the same`)));
      folded = 0;
    };
    pairs.forEach((pair, i) => {
      const near = kinds.slice(Math.max(0, i - 1), i + 2).some((kind) => kind !== "same");
      if (this.onlyDifferent && !near) { folded += 1; return; }
      fold();
      rows.push(el("tr", { class: kinds[i] }, ...cell(pair[0], sessions[0], pair[1]),
        el("td", { class: "m", title: MEANS[kinds[i]] }, SIGNS[kinds[i]], el("span", { class: "vh" }, MEANS[kinds[i]])), ...cell(pair[1], sessions[1], pair[0])));
    });
    fold();
    const top = (session, which) => el("th", { colspan: 2, scope: "col" }, this.chooser(which), " ", el("a", { href: "#s=" + session.key }, `session ${session.key}`), ` ${day(session.wall)}, ${clock(session.wall).time}`,
      el("br"), el("b", {}, what(session)), ` ${ours(session.client)}`);
    const table = el("table", { class: "cmp" }, el("colgroup", {}, ["t", "x", "m", "t", "x"].map((name) => el("col", { class: name }))),
      el("thead", {}, el("tr", {}, top(sessions[0], 0), el("th", {}, el("span", { class: "vh" }, "How they differ")), top(sessions[1], 1))), el("tbody", {}, rows));
    this.element.replaceChildren(el("div", { class: "answer" },
      el("h1", {}, told.length ? capital(told[0]) + (told.length > 1 ? "; " + told.slice(1).join("; ") : "") : "The two sessions say the same"),
      el("p", {}, `Paired by what each line is for. Waits are said to differ from ${brief(APART)} on. Names, ids and dates are not set aside here: smtpscope diff does that.`)),
    el("button", { class: "btn", type: "button", "aria-pressed": String(this.onlyDifferent), onclick: () => this.key({ key: "v" }) }, "Only what differs"), table);
  }
}

function capital(text) { return text[0].toUpperCase() + text.slice(1); }
