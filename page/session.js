// The view of one session: the answer in words, the picture, the octets.

import { copy, markdownOf } from "./actions.js";
import { el, icon, styled } from "./elements.js";
import { factsOf, leadOf, waitsInWords } from "./facts.js";
import { side } from "./list.js";
import { entryPanel, eventPanel, findingPanel, silencePanel } from "./panel.js";
import { toScale } from "./scale.js";
import { entryWords, rowsOf, sinceWords } from "./timeline.js";
import { brief, clock, day, ours, sinceStart, zone } from "./words.js";
import { Rows } from "./window.js";

export class SessionView {
  constructor(app, session) {
    this.app = app;
    this.session = session;
    this.folded = false;
    this.chosen = -1;  // index of a row
    this.element = el("main", { id: "main", class: "session" });
    this.build();
  }

  build() {
    const { session } = this;
    this.top = el("div", {});
    this.over = el("section", { class: "over", "aria-label": "The session to scale" });
    const body = el("tbody", { role: "rowgroup" });
    this.table = el("table", { class: "tl", role: "table", "aria-label": "Timeline" },
      el("colgroup", {}, ["sv", "brc", "tc", "dc", "lc", "xc"].map((name) => el("col", { class: name }))),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
        head("sev", "Chosen finding rests on it", true), head("br", "Message", true), head("t", "time, s"), head("d", "since last"),
        el("th", { class: "lnh", role: "columnheader" }, el("div", { class: "lanes" }, el("span", { class: "c" }, "client"),
          el("span", { class: "p" }, "smtpscope"), el("span", { class: "s" }, "server"))), head("x", "What was said", true))), body);
    this.rows = new Rows(body, 6, (row) => this.row(row));
    this.pane = el("aside", { class: "pane", "aria-label": "The chosen line", tabindex: "-1" });
    this.element.append(this.top, this.over, el("div", { class: "panes" }, this.table, this.pane));
    this.refresh();
  }

  close() { this.rows.close(); }

  // A second has passed in an open session.
  tick() { this.top.replaceChildren(...this.verdict()); }

  // The records of the session have changed, or what is shown of them.
  refresh() {
    const chosen = this.items && this.items[this.chosen];
    this.items = rowsOf(this.session, this.folded);
    this.items.forEach((row, i) => { row.index = i; });
    this.chosen = chosen ? this.items.findIndex((row) => row.record === chosen.record) : -1;
    this.top.replaceChildren(...this.verdict());
    this.over.replaceChildren(...toScale(this.session, (silence) => this.chooseRecord(silence)));
    this.rows.show(this.items, Math.max(0, this.chosen));
    if (this.chosen >= 0) this.mark();
    // The octets of an open session come later than its lines.
    const octets = this.session.octets.client.length + this.session.octets.server.length;
    if (octets !== this.octetsDrawn && this.chosen >= 0 && !this.pane.contains(document.activeElement)) this.drawPane(this.items[this.chosen]);
    this.octetsDrawn = octets;
  }

  drawPane(row) {
    const panel = { entry: entryPanel, finding: findingPanel, silence: silencePanel }[row.type] || eventPanel;
    this.pane.replaceChildren(...panel(this, row));
  }

  verdict() {
    const { session } = this;
    const facts = factsOf(session, this.app.now(session));
    const lead = leadOf(session);
    const lines = session.end ? session.end.verdict : [];
    const of = (kind) => lines.filter((line) => line.kind === kind).map((line) => ours(line.text));
    const { time, ms } = clock(session.wall);
    const crumb = el("div", { class: "crumb" }, el("a", { href: this.app.listLink() }, "Sessions"), el("span", {}, "›"),
      el("span", {}, "session " + session.key), el("span", {}, `${day(session.wall)}, ${time}${ms} ${zone(session.wall)}`),
      el("span", { class: "mono addr" }, ours(session.client) + " → " + ours(session.server)),
      session.route && el("span", { class: "wide" }, "route: " + ours(session.route)),
      session.run && session.run.tap && el("span", { class: "wide" }, "recorded at: " + ours(session.run.tap)),
      el("span", { class: "sp" }),
      this.app.neighbours(session).map(([name, key]) => el("a", { class: "nb", href: "#s=" + key, rel: name }, name === "prev" ? "‹ earlier" : "later ›")));
    const limits = session.start && session.start.unknown ? el("p", { class: "limits" }, "Not in this trace: " + session.start.unknown.join(", ") + ".") : false;
    const what = capital(lead.what || (session.end ? facts.words : "The session is open: " + facts.why));
    const sure = lead.line && { possible: "Possible, not proven: ", likely: "Likely: " }[lead.line.certainty];
    let why = lead.why;
    for (const prefix of ["possible, not proven: ", "likely: ", "likely "]) if (sure && why.startsWith(prefix)) why = why.slice(prefix.length);
    const verdict = el("section", { class: "verdict", "aria-label": "Verdict" },
      el("h1", { class: facts.tone }, facts.icon && icon(facts.icon, facts.words), what),
      why && el("p", { class: "sure" }, sure && el("b", {}, sure), why),
      el("ul", { class: "facts" }, [...of("altered"), ...of("message").slice(0, 4), ...of("no-fault")].map((text) => el("li", {}, capital(text))),
        el("li", {}, "Waited for ", list(waitsInWords(facts.idle).map((one) => [el("span", { class: side(one.side) },
          el("span", { class: "who" }, one.side === "proxy" ? "smtpscope" : one.side)), " ", el(one.ns >= 1e9 ? "b" : "span", {}, one.words)])),
          " · took " + brief(facts.took))),
      limits);
    const evidence = session.standing.filter((one) => one.severity !== "info" && !(lead.line && lead.line.text.includes(one.text))).slice(0, 12);
    const checks = of("check").map((text) => text.replace(/^check next: /, "").replace(/^\d+\) /, ""));
    const against = of("ruled-out").flatMap((text) => text.replace(/^not the cause: /, "").split("; "));
    const others = [...of("proof").filter((text) => !/^(seen above|findings): /.test(text)), ...of("alternative"), ...of("finding"), ...of("not-evaluated")];
    const fold = (name, title, content) => el("details", { class: name, open: matchMedia("(min-width: 641px)").matches },
      el("summary", {}, el("h2", {}, title)), content);
    const why3 = el("section", { class: "whysec", "aria-label": "Why" }, el("div", { class: "whyg" },
      evidence.length + others.length > 0 && fold("proof", "Evidence", el("ul", {},
        evidence.map((one) => el("li", {}, el("a", { href: `#s=${session.key}&f=${one.number}`, title: one.rule }, sinceStart(one.about_ns - session.began)),
          el("span", {}, icon(one.severity, one.severity), " ", ours(one.text)))),
        others.map((text) => el("li", { class: "text" }, text)))),
      checks.length > 0 && fold("ck", "Check next", el("ol", {}, checks.map((text, i) => el("li", {}, el("i", {}, i + 1), el("span", {}, text))))),
      against.length > 0 && fold("not", "Not the cause", el("ul", {}, against.map((text) => {
        const at = text.indexOf(": ");
        return el("li", {}, at > 0 && at < 60 ? [el("b", {}, capital(text.slice(0, at)) + ":"), " ", text.slice(at + 2)] : text);
      })))));
    return [crumb, verdict, why3.firstChild.childElementCount ? why3 : ""];
  }

  row(row) {
    const who = side(row.side);
    const cell = (name, ...children) => el("td", { class: name, role: "cell" }, ...children);
    const tr = el("tr", { class: [{ entry: "e", event: "e evt", silence: "sil", finding: "f", result: "r", remark: "r", warning: "sil w" }[row.type], who,
      row.tls ? "tls" : "", row.type === "finding" ? row.record.severity : "", row.quiet ? "quiet" : ""].filter(Boolean).join(" "),
      role: "row", "data-i": row.index, tabindex: "-1", "aria-current": "false", onclick: (event) => { if (!event.target.closest("a")) this.choose(row.index, false); } });
    tr.append(cell("sev", el("i", { class: "pf" })), cell("br", bracket(row)));
    if (row.type === "silence") {
      const seconds = row.record.length_ns / 1e9;
      styled(tr, { "--h": Math.round(36 * (1 + Math.log10(Math.max(1, seconds)))) + "px" });
      tr.append(cell("t", brief(row.record.length_ns)), cell("d"), cell("ln", el("q", { class: who + " all hatch" })),
        cell("x", el("span", { class: "who" }, capital(row.side === "proxy" ? "smtpscope" : row.side === "unknown" ? "nobody" : row.side)), row.words.replace(/^(client|server|smtpscope|both)/, "")));
      return tr;
    }
    const timed = row.type === "entry" || row.type === "event";
    tr.append(cell("t", timed && sinceStart(row.time)), cell("d", timed && sinceWords(row.since)), cell("ln", lane(row)));
    if (row.type === "entry") {
      const words = entryWords(row.record);
      tr.append(cell("x", el("span", { class: "who" }, row.letter), row.record.tls && el("span", { class: "in", title: "inside TLS" }, "≡"),
        words.lead && el("b", { class: row.record.kind === "reply" && row.record.code >= 400 ? "code" : null }, words.lead), words.lead && " ",
        words.text, words.notes && el("span", { class: words.lead || words.text ? "note" : null }, words.text || words.lead ? " " : "", words.notes)));
    } else if (row.type === "finding") {
      const one = row.record;
      tr.append(cell("x", icon(one.severity, one.severity), ours(one.text), " ", el("code", {}, one.rule),
        one.folded_under && el("span", { class: "pr" }, ` part of ${one.folded_under}`),
        one.entries.length > 0 && el("span", { class: "pr" }, " see ", one.entries.map((number) => [el("a", { href: `#s=${this.session.key}&e=${number}` }, number), " "]))));
    } else {
      tr.append(cell("x", row.letter && el("span", { class: "who" }, row.letter), row.icon && icon(row.icon), row.icon && " ", row.words));
    }
    return tr;
  }

  // From the fragment: e, f, or nothing.
  open(state) {
    let index = -1;
    if (state.e) index = this.items.findIndex((row) => row.type === "entry" && row.id === Number(state.e));
    else if (state.f) {
      index = this.find(state.f);
      if (index < 0 && !this.folded) { this.folded = true; this.refresh(); index = this.find(state.f); }
    } else if (state.i) index = this.items.findIndex((row) => row.index === Number(state.i));
    if (index >= 0) this.choose(index, true, false);
    else if (this.chosen < 0) {
      const first = this.items.findIndex((row) => row.type === "finding" && row.record.severity !== "info");
      this.choose(first >= 0 ? first : this.items.findIndex((row) => row.type === "entry"), false, false);
    }
  }

  find(number) { return this.items.findIndex((row) => row.type === "finding" && row.id === Number(number)); }

  chooseRecord(record) {
    const index = this.items.findIndex((row) => row.record === record);
    if (index >= 0) this.choose(index, true);
  }

  choose(index, scroll = true, tell = true) {
    const row = this.items[index];
    if (!row) return;
    this.chosen = index;
    this.rows.reveal(index);
    this.mark();
    this.pane.className = "pane " + side(row.side) + (this.pane.classList.contains("up") ? " up" : "");
    this.drawPane(row);
    const tr = this.rowOf(index);
    if (tr && scroll) {
      if (!inSight(tr)) tr.scrollIntoView({ block: "center" });
      tr.focus({ preventScroll: true });
    }
    if (tell) this.app.note({ s: this.session.key, e: row.type === "entry" ? row.id : "", f: row.type === "finding" ? row.id : "",
      i: row.type === "entry" || row.type === "finding" ? "" : index });
  }

  rowOf(index) { return this.rows.body.querySelector(`tr[data-i="${index}"]`); }

  mark() {
    const row = this.items[this.chosen];
    const proof = new Set(row && row.type === "finding" ? row.record.entries : []);
    for (const tr of this.rows.body.children) {
      if (tr.dataset.i === undefined) continue;
      const item = this.items[tr.dataset.i];
      tr.setAttribute("aria-current", String(item === row));
      tr.tabIndex = item === row ? 0 : -1;
      tr.classList.toggle("prf", item.type === "entry" && proof.has(item.id));
    }
  }

  step(by, wanted) {
    for (let i = this.chosen + by; i >= 0 && i < this.items.length; i += by) {
      if (wanted(this.items[i])) { this.choose(i); return; }
    }
  }

  key(event) {
    const moves = { j: [1, (row) => row.type !== "result"], k: [-1, (row) => row.type !== "result"],
                    "]": [1, (row) => row.type === "finding"], "[": [-1, (row) => row.type === "finding"] };
    if (moves[event.key]) { this.step(...moves[event.key]); return true; }
    if (event.key === "Enter") { this.pane.classList.add("up"); this.pane.focus(); return true; }
    if (event.key === "m") { copy(markdownOf(this.session)); return true; }
    if (event.key === "v") { this.folded = !this.folded; this.refresh(); return true; }
    if (event.key === "r") { const hex = this.pane.querySelector(".hex"); if (hex) hex.scrollIntoView({ block: "nearest" }); this.pane.classList.add("up"); return true; }
    return false;
  }
}

function inSight(element) {
  const box = element.getBoundingClientRect();
  return box.top > 40 && box.bottom < innerHeight - (innerWidth <= 900 ? 110 : 0);
}

function head(name, words, unseen) {
  return el("th", { class: name, scope: "col", role: "columnheader" }, unseen ? el("span", { class: "vh" }, words) : words);
}

function bracket(row) {
  const shape = { begins: "b", inside: "", "ends-well": "z", "ends-badly": "z" }[row.mark];
  if (shape === undefined) return [];
  return [el("i", { class: shape || null }), row.mark === "ends-badly" && icon("no", "ends badly"), row.mark === "ends-well" && icon("ok", "ends well")];
}

// Arrow, turn bars on the lifelines, and ends.
function lane(row) {
  const parts = [];
  if (row.type === "entry" || row.type === "event") {
    if (row.before) parts.push(el("q", { class: side(row.before) + " up" }));
    if (row.behind) parts.push(el("q", { class: side(row.behind) + " dn" }));
  } else if (row.before) {
    parts.push(el("q", { class: side(row.before) + " all" }));
  }
  if (row.arrow === "connect") parts.push(el("i", { class: "ar con" }));
  else if (row.arrow) parts.push(el("i", { class: "ar " + side(row.arrow) + (row.fat ? " fat" : "") + (row.record.undelivered ? " lost" : "") + (row.record.by_proxy ? " own" : "") }));
  if (row.closes) parts.push(el("span", { class: "end " + side(row.closes) }, icon("no")));
  return parts;
}

export function capital(text) { return text ? text[0].toUpperCase() + text.slice(1) : ""; }

function list(items) {
  if (items.length === 0) return "nobody";
  return items.map((one, i) => (i ? [", ", ...one] : one));
}
