// The view of a run: what all sessions that the filter keeps come to.

import { el, icon, styled } from "./elements.js";
import { factsOf, ICONS, OUTCOMES, OUTCOME_WORDS, outcomeOf, TONES, worse } from "./facts.js";
import { FilterError, filterOf } from "./filter.js";
import { histogram } from "./histogram.js";
import { counted, duration, ours } from "./words.js";

const MOST_ROWS = 50;

function table(title, heads, rows, note) {
  if (!rows.length) return "";
  return el("section", { class: "sum" }, el("h2", {}, title), el("table", {},
    el("thead", {}, el("tr", {}, heads.map((name, i) => el("th", { scope: "col", class: i ? "num" : null }, name)))),
    el("tbody", {}, rows.slice(0, MOST_ROWS).map((cells) => el("tr", {}, cells.map((cell, i) => el("td", { class: i ? "num" : null }, cell)))))),
  rows.length > MOST_ROWS && el("p", { class: "mut" }, `${rows.length - MOST_ROWS} more`), note && el("p", { class: "mut" }, note));
}

function at(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

// How long each side took for what it owed, by what that was.
export function waitsOf(sessions) {
  const waits = new Map();
  const note = (what, ns) => {
    if (ns === undefined) return;
    if (!waits.has(what)) waits.set(what, []);
    waits.get(what).push(ns);
  };
  for (const session of sessions) {
    for (const entry of session.entries.values()) {
      if (entry.by_proxy) continue;
      if (entry.kind === "reply") {
        note("server: " + ({ greeting: "the greeting", "end-of-data": "the reply to the end of data" }[entry.answers] || "the reply to " + (entry.answers_verb || "a command")), entry.think_ns);
      } else if (entry.kind === "command") {
        note("client: " + (entry.verb || "a command"), entry.think_ns);
      }
    }
  }
  return [...waits].map(([what, all]) => ({ what, sorted: all.sort((a, b) => a - b) }))
    .sort((a, b) => at(b.sorted, 1) - at(a.sorted, 1));
}

export class RunView {
  constructor(app) {
    this.app = app;
    this.element = el("main", { id: "main", class: "run" });
  }

  close() {}
  key() { return false; }
  tick() {}
  open() { this.refresh(); }

  refresh() {
    let filter;
    try {
      filter = filterOf(this.app.filter);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      filter = () => true;
    }
    const all = [...this.app.records.sessions.values()];
    const kept = all.filter(filter);
    const link = (term, words) => el("a", { href: "#q=" + encodeURIComponent([this.app.filter, term].filter(Boolean).join(" ")) }, words);
    const outcomes = new Map(), rules = new Map(), reasons = new Map(), clients = new Map(), routes = new Map();
    const count = (map, key, change) => map.set(key, change(map.get(key)));
    for (const session of kept) {
      const facts = factsOf(session);
      count(outcomes, outcomeOf(session), (n = 0) => n + 1);
      for (const one of session.standing) {
        count(rules, one.rule, (of = { findings: 0, sessions: new Set(), worst: one.severity }) => {
          of.findings += 1;
          of.sessions.add(session);
          if (worse(of.worst, one.severity) > 0) of.worst = one.severity;
          return of;
        });
      }
      for (const entry of session.entries.values()) if (entry.refusal) count(reasons, entry.refusal.reason, (n = 0) => n + 1);
      const andWrong = (of = { sessions: 0, wrong: 0 }) => {
        of.sessions += 1;
        if (facts.tone === "bad" || facts.tone === "wrn") of.wrong += 1;
        return of;
      };
      count(clients, session.client.replace(/:\d+$/, ""), andWrong);
      if (session.route) count(routes, session.route, andWrong);
    }
    const silences = kept.flatMap((session) => session.silences.map((one) => [session, one])).sort((a, b) => b[1].length_ns - a[1].length_ns).slice(0, 10);
    const wrong = kept.filter((one) => ["bad", "wrn"].includes(factsOf(one).tone)).length;
    const most = Math.max(1, ...outcomes.values());
    this.element.replaceChildren(
      el("div", { class: "answer" }, el("h1", {}, kept.length ? `${counted(kept.length, "session")}, ${wrong ? wrong + " went wrong" : "none went wrong"}` : all.length ? "No session matches this filter." : this.app.emptyWords),
        this.app.filter && el("p", {}, "Only those that the filter keeps: ", el("code", {}, this.app.filter))),
      el("div", { class: "strip" }, histogram(kept, kept, (range) => { location.hash = "#q=" + encodeURIComponent([this.app.filter, "in:" + range].filter(Boolean).join(" ")); })),
      el("div", { class: "sums" },
        table("Outcomes", ["", "sessions"], OUTCOMES.filter((one) => outcomes.has(one)).map((one) => [
          [el("span", { class: "slot" }, ICONS[TONES[one]] && icon(ICONS[TONES[one]])), " ", link("outcome:" + one, OUTCOME_WORDS[one]),
            styled(el("i", { class: "len" }), { width: ((outcomes.get(one) / most) * 100).toFixed(1) + "px" })], outcomes.get(one)])),
        table("Findings", ["", "findings", "sessions"], [...rules].sort((a, b) => worse(a[1].worst, b[1].worst) || b[1].findings - a[1].findings).map(([rule, of]) => [
          [icon(of.worst, of.worst), " ", link("rule:" + rule, rule)], of.findings, of.sessions.size])),
        table("Why servers refused", ["", "replies"], [...reasons].sort((a, b) => b[1] - a[1]).map(([reason, number]) => [link("reason:" + reason, reason), number])),
        table("Waits", ["for", "times", "half within", "95 % within", "longest"], waitsOf(kept).map(({ what, sorted }) => [
          el("span", { class: what.startsWith("client") ? "c" : "s" }, el("span", { class: "who" }, what.split(": ")[0]), " ", what.split(": ")[1]), sorted.length, duration(at(sorted, 0.5)), duration(at(sorted, 0.95)), duration(at(sorted, 1))]),
        "How long a side took for what it owed, from what it answers."),
        table("Longest silences", ["", "session"], silences.map(([session, one]) => [
          [duration(one.length_ns), ", ", el("span", { class: { client: "c", server: "s", proxy: "p" }[one.silent] || "" }, el("span", { class: "who" }, one.silent === "proxy" ? "smtpscope" : one.silent)), one.owed ? " owes " + ours(one.owed) : ""],
          el("a", { href: "#s=" + session.key }, session.key)])),
        routes.size > 0 && table("Routes", ["", "sessions", "went wrong"], [...routes].sort((a, b) => b[1].sessions - a[1].sessions).map(([route, of]) => [link(`route:"${route}"`, ours(route)), of.sessions, of.wrong])),
        table("Clients", ["", "sessions", "went wrong"], [...clients].sort((a, b) => b[1].sessions - a[1].sessions).map(([client, of]) => [link(`client:"${client}"`, el("span", { class: "mono" }, ours(client))), of.sessions, of.wrong]))));
  }
}
