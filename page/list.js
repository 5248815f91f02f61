// The view of all sessions.

import { el, icon, styled } from "./elements.js";
import { factsOf, ICONS, leadOf, OUTCOMES, OUTCOME_WORDS, TONES, worse } from "./facts.js";
import { FilterError, filterOf, KEY_NAMES, prepare } from "./filter.js";
import { histogram } from "./histogram.js";
import { headline } from "./timeline.js";
import { brief, clock, counted, day, ours, wire } from "./words.js";
import { Rows } from "./window.js";

const SEVERITIES = ["error", "warning", "notice", "info"];
const COLUMNS = ["Time", "Client", "Envelope", "Outcome and cause", "Took", "Waiting", "At fault", "Findings"];

export class ListView {
  constructor(app) {
    this.app = app;
    this.chosen = null;   // key
    this.shown = [];
    this.unprepare = () => {};
    this.element = el("main", { id: "main", class: "sessions" });
    this.build();
  }

  build() {
    const { app } = this;
    this.answer = el("div", { class: "answer" });
    this.input = el("input", { type: "text", id: "filter", spellcheck: "false", autocomplete: "off", list: "keys",
                               "aria-label": "Filter", "aria-describedby": "filter-error",
                               placeholder: "from:carol  client:192.0.2.0/24  code:5  rule:rset  slower:2s",
                               onfocus: () => { this.unprepare(); this.unprepare = prepare(this.app.records.sessions.values()); },
                               oninput: () => { this.complete(); this.refilter(); } });
    this.error = el("p", { class: "fault", id: "filter-error", role: "status" });
    this.keys = el("datalist", { id: "keys" });
    this.chips = el("div", { class: "chips" });
    this.strip = el("div", { class: "strip" });
    const body = el("tbody", { role: "rowgroup" });
    this.table = el("table", { class: "list", role: "table", "aria-label": "Sessions" },
      el("colgroup", {}, ["t", "cl", "env", "out", "took", "wait", "ft", "fd"].map((name) => el("col", { class: name }))),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, COLUMNS.map((name, i) => el("th", {
        role: "columnheader", scope: "col", class: i === 4 ? "num" : null }, i === 5 ? legend() : name)))),
      body);
    this.rows = new Rows(body, COLUMNS.length, (session) => this.row(session));
    this.empty = el("p", { class: "empty" });
    this.element.append(this.answer,
      el("div", { class: "filter" }, el("label", { class: "box" }, this.input, this.keys, el("kbd", {}, "/")),
        app.feed && this.followButton()),
      this.error, this.chips, this.strip, this.table, this.empty, this.older = el("p", { class: "older", role: "status" }));
  }

  // That there are sessions which are not here, and the way to them.
  sayOlder() {
    const { feed } = this.app;
    if (!feed || !feed.missing) { this.older.replaceChildren(); return; }
    if (!feed.olderUrl) {
      this.older.replaceChildren("Older sessions are gone: --web-memory bounds what is held, and without a capture (-w FILE) they are kept nowhere.");
      return;
    }
    if (this.older.childElementCount) return;
    const button = el("button", { class: "btn", type: "button", onclick: async () => {
      button.disabled = true;
      button.textContent = "Reading the capture …";
      let words = "";
      try {
        await feed.readOlder();
      } catch (error) {
        words = " They cannot be read: " + ours(error.message);
      }
      this.older.replaceChildren();
      this.refresh();
      this.older.append(words);
    } }, "Older sessions");
    this.older.append("Older sessions are not in memory any more. ", button);
  }

  close() {
    this.unprepare();
    this.rows.close();
  }

  followButton() {
    const button = el("button", { class: "btn", type: "button", "aria-pressed": String(this.app.following), title: "Show sessions as they come", onclick: () => {
      this.app.following = !this.app.following;
      button.setAttribute("aria-pressed", String(this.app.following));
      button.textContent = this.app.following ? "Following" : "Paused";
      if (this.app.following) this.refresh();
    } }, this.app.following ? "Following" : "Paused");
    return button;
  }

  // A second has passed: rows of open sessions say how long they wait.
  tick() {
    for (const row of this.rows.body.children) {
      const session = row.dataset.key && this.app.records.sessions.get(row.dataset.key);
      if (session && !session.end && !session.failed) row.replaceWith(this.row(session));
    }
    this.mark();
  }

  // From the fragment.
  open(state) {
    if (this.input.value !== (state.q || "")) this.input.value = state.q || "";
    this.refilter(false);
  }

  // What the last word may become; the browser offers it.
  complete() {
    const last = /[^\s()]*$/.exec(this.input.value)[0];
    const front = this.input.value.slice(0, this.input.value.length - last.length);
    const { rules, reasons } = this.sums([...this.app.records.sessions.values()]);
    const all = [...KEY_NAMES.map((name) => name + ":"), ...OUTCOMES.map((one) => "outcome:" + one),
      ...[...rules.keys()].map((one) => "rule:" + one), ...[...reasons.keys()].filter((one) => /^[a-z-]+$/.test(one)).map((one) => "reason:" + one)];
    this.keys.replaceChildren(...all.filter((one) => last && one !== last && one.startsWith(last)).slice(0, 20).map((one) => el("option", { value: front + one })));
  }

  refilter(tell = true) {
    const expression = this.input.value;
    try {
      this.filter = filterOf(expression);
      this.error.textContent = "";
      this.input.removeAttribute("aria-invalid");
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.error.replaceChildren(el("span", { class: "mono caret" }, " ".repeat(error.column - 1) + "^"), `column ${error.column}: ${error.message}`);
      this.input.setAttribute("aria-invalid", "true");
      return;  // what was shown stays
    }
    if (tell) this.app.note({ q: expression });
    this.refresh();
  }

  // The records have changed, or the filter.
  refresh() {
    const all = [...this.app.records.sessions.values()];
    this.shown = all.filter(this.filter).reverse();
    // Open ones on top: they are what is to be decided now.
    this.shown.sort((a, b) => (a.open && !a.failed ? 0 : 1) - (b.open && !b.failed ? 0 : 1));
    this.say(all);
    this.drawChips(all);
    this.strip.replaceChildren(...histogram(all, this.shown, (range) => this.narrow("in:" + range)));
    this.table.hidden = this.shown.length === 0;
    this.empty.textContent = this.shown.length ? "" : all.length ? "No session matches this filter." : this.app.emptyWords;
    this.rows.show(this.shown, this.index());
    this.sayOlder();
    this.mark();
  }

  // What there is of everything: of all sessions, so it does not change with the filter.
  sums(all) {
    const { version } = this.app.records;
    if (this.summed && this.summed.version === version) return this.summed;
    const sums = { version, wrong: 0, open: 0, mail: 0, reasons: new Map(), outcomes: new Map(), rules: new Map() };
    const count = (map, key) => map.set(key, (map.get(key) || 0) + 1);
    for (const session of all) {
      const facts = factsOf(session);
      count(sums.outcomes, facts.outcome);
      if (facts.outcome === "open") sums.open += 1;
      if (facts.outcome !== "no-mail") sums.mail += 1;
      for (const [rule, severity] of new Map(session.standing.map((one) => [one.rule, one.severity]))) {
        const sum = sums.rules.get(rule) || { sessions: 0, worst: severity };
        sum.sessions += 1;
        if (worse(sum.worst, severity) > 0) sum.worst = severity;
        sums.rules.set(rule, sum);
      }
      if (facts.tone !== "bad" && facts.tone !== "wrn") continue;
      sums.wrong += 1;
      const line = session.end && session.end.verdict.find((each) => each.kind === "lead");
      count(sums.reasons, line && (line.reason || line.cause) || facts.words);
    }
    this.summed = sums;
    return sums;
  }

  say(all) {
    const { wrong, open, mail, reasons } = this.sums(all);
    const became = [wrong === 0 ? "none went wrong" : wrong === all.length && all.length > 1 ? "all went wrong" : `${wrong} went wrong`,
      open > 0 && (open === 1 ? "1 is open" : `${open} are open`)].filter(Boolean).join(", ");
    if (all.length === 0) {
      this.answer.replaceChildren(el("h1", {}, "No sessions."));
      return;
    }
    const alone = all.length === 1 ? leadOf(all[0]) : null;
    const first = alone && alone.what ? el("a", { href: "#s=" + all[0].key }, "1 session: ", [alone.what, alone.why].filter(Boolean).join("; "))
      : `${counted(all.length, "session")}: ${became}.`;
    const most = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([why, number]) => `${number} ${why}`).join(", ");
    this.answer.replaceChildren(el("h1", {}, first),
      el("p", {}, [`${mail} of them with mail`, most && `what went wrong: ${most}`,
        this.shown.length !== all.length && `${this.shown.length} shown`].filter(Boolean).join("; ") + "."));
  }

  drawChips(all) {
    const { outcomes, rules } = this.sums(all);
    const chip = (words, number, term, name) => el("button", { class: "chip", type: "button", "aria-pressed": String(this.has(term)),
      onclick: () => this.toggle(term) }, name && icon(name), words, " ", el("b", {}, number));
    this.chips.replaceChildren(
      outcomes.size ? el("span", { class: "lab" }, "Outcome") : "",
      ...OUTCOMES.filter((one) => outcomes.has(one)).map((one) => chip(OUTCOME_WORDS[one], outcomes.get(one), "outcome:" + one, ICONS[TONES[one]])),
      rules.size ? el("span", { class: "lab" }, "Finding") : "",
      // The gravest first: one error says more than forty notices.
      ...[...rules].sort(([, a], [, b]) => worse(a.worst, b.worst) || b.sessions - a.sessions).slice(0, 8).map(([rule, sum]) =>
        chip(rule, sum.sessions, "rule:" + rule, ["error", "warning"].includes(sum.worst) && sum.worst)));
  }

  has(term) {
    return this.input.value.split(/\s+/).includes(term);
  }

  // Chips of one kind exclude each other.
  toggle(term) {
    const kind = term.slice(0, term.indexOf(":") + 1);
    const words = this.input.value.split(/\s+/).filter(Boolean);
    const rest = words.filter((word) => !word.startsWith(kind));
    this.input.value = [...rest, ...(words.includes(term) ? [] : [term])].join(" ");
    this.refilter();
  }

  narrow(term) {
    const rest = this.input.value.split(/\s+/).filter((word) => word && !word.startsWith("in:"));
    this.input.value = [...rest, ...(term === "in:" ? [] : [term])].join(" ");
    this.refilter();
  }

  row(session) {
    const facts = factsOf(session, this.app.now(session));
    const { time, ms } = clock(session.wall);
    const cell = (name, ...children) => el("td", { class: name, role: "cell" }, ...children);
    const row = el("tr", { class: facts.tone, role: "row", "data-key": session.key, onclick: (event) => {
      if (!event.target.closest("a")) location.hash = "#s=" + session.key;
    } });
    row.append(
      cell("t", el("a", { href: "#s=" + session.key, title: day(session.wall) }, time, el("span", { class: "ms" }, ms))),
      cell("cl", ours(session.client.replace(/:\d+$/, ""))),
      cell("env", session.route && el("span", { class: "rt" }, ours(session.route) + " · "), envelope(session, facts)),
      cell("out", facts.icon && icon(facts.icon), el("b", {}, facts.words), facts.why && el("span", { class: "why" }, " ", facts.why),
        session.headline && el("span", { class: "hd", title: headline(session.headline) }, " ", headline(session.headline))),
      cell("num took", brief(facts.took)),
      cell("wait", bar(facts)),
      cell("ft", facts.fault && el("span", { class: "who " + side(facts.fault) }, facts.fault, facts.certainty === "possible" ? " ?" : "")),
      cell("fd", SEVERITIES.filter((one) => facts.findings[one]).map((one) =>
        el("span", {}, icon(one, one), String(facts.findings[one])))));
    return row;
  }

  index() { return Math.max(0, this.shown.findIndex((one) => one.key === this.chosen)); }

  choose(key, scroll = true) {
    this.chosen = key;
    const index = this.shown.findIndex((one) => one.key === key);
    if (index < 0) return;
    this.rows.reveal(index);
    this.mark();
    const row = this.rowOf(key);
    if (row && scroll) { row.scrollIntoView({ block: "nearest" }); row.querySelector("a").focus({ preventScroll: true }); }
  }

  rowOf(key) { return [...this.rows.body.children].find((row) => row.dataset.key === key); }

  mark() {
    for (const row of this.rows.body.children) {
      if (row.dataset.key) row.setAttribute("aria-current", String(row.dataset.key === this.chosen));
    }
  }

  key(event) {
    if (event.key === "/") { this.input.focus(); this.input.select(); return true; }
    if (event.key === "j" || event.key === "k") {
      const at = this.shown.findIndex((one) => one.key === this.chosen);
      const next = at < 0 ? 0 : Math.max(0, Math.min(this.shown.length - 1, at + (event.key === "j" ? 1 : -1)));
      if (this.shown[next]) this.choose(this.shown[next].key);
      return true;
    }
    if (event.key === "Enter" && this.chosen) { location.hash = "#s=" + this.chosen; return true; }
    return false;
  }
}

export function side(name) {
  return { client: "c", server: "s", proxy: "p", smtpscope: "p" }[name] || "";
}

function legend() {
  return el("span", {}, el("span", { class: "leg" }, el("b", { class: "c" }, "client"), " ", el("b", { class: "p" }, "smtpscope"), " ",
    el("b", { class: "s" }, "server")), el("span", { class: "scale", "aria-hidden": "true" }, el("i", {}, "10 ms"), el("i", {}, "1 s"), el("i", {}, "100 s")));
}

function envelope(session, facts) {
  const of = facts.envelope;
  if (!of) return el("span", { class: "mut" }, session.end || session.failed ? "no envelope" : "no envelope yet");
  return el("span", { class: "ev" }, el("span", { class: "fr" }, address(wire({ from: of.from }, "from"))), el("span", { class: "ar" }, "→"),
    el("span", { class: "to" }, of.to ? address(wire(of, "to")) : "no recipient"), of.more > 0 && el("span", { class: "mo" }, "+" + of.more));
}

// In which order its two parts stand is not to depend on the script that they are written in.
function address(text) {
  const part = (one) => el("bdi", { dir: "ltr" }, one);
  const at = text.lastIndexOf("@");
  return at < 0 ? part(text) : [part(text.slice(0, at)), "@", part(text.slice(at + 1))];
}

// The length is the logarithm of the duration, 10 ms to 100 s; the sides share it by their waits.
function bar(facts) {
  const parts = [["c", facts.idle.client_ns], ["p", facts.idle.proxy_ns], ["s", facts.idle.server_ns]];
  const sum = parts.reduce((total, [, ns]) => total + ns, 0);
  const line = el("span", { class: "bar", "aria-hidden": "true" });
  if (sum <= 0) return line;
  const length = Math.max(0.01, Math.min(1, (Math.log10(Math.max(facts.took, 1)) - 7) / 4));
  let at = 0;
  for (const [name, ns] of parts) {
    const width = (ns / sum) * length * 100;
    if (width < 0.2) continue;
    line.append(styled(el("i", { class: name + (ns >= 1e9 ? " hatch" : "") }), { left: at.toFixed(2) + "%", width: width.toFixed(2) + "%" }));
    at += width;
  }
  return line;
}
