// What a session comes to, for a row of the list and for the filter.

import { brief, counted, ours } from "./words.js";

// docs/filter.md lists them; timeline/filter/ decides the same for the command line.
export const OUTCOMES = ["open", "delivered", "partly", "refused", "not-sent", "unknown", "not-connected", "no-mail"];

export const OUTCOME_WORDS = {
  open: "open", delivered: "delivered", partly: "in part", refused: "refused", "not-sent": "never sent",
  unknown: "fate unknown", "not-connected": "not connected", "no-mail": "no mail",
};

export const TONES = { open: "open", delivered: "ok", "no-mail": "none", partly: "wrn", unknown: "wrn",
                refused: "bad", "not-sent": "bad", "not-connected": "bad" };
export const ICONS = { none: "", ok: "ok", wrn: "warning", bad: "error", open: "wait" };

const ORDER = ["info", "notice", "warning", "error"];

export function worse(a, b) {
  return ORDER.indexOf(b) - ORDER.indexOf(a);
}

export function outcomeOf(session) {
  if (session.facts && session.factsOf === session.end) return session.facts.outcome;
  if (session.failed) return "not-connected";
  if (session.open) return "open";
  const count = { accepted: 0, partial: 0, rejected: 0, aborted: 0, unknown: 0, open: 0 };
  for (const [name, number] of Object.entries(session.end.totals.outcomes)) count[name] = number;
  const well = count.accepted;
  const badly = count.rejected + count.aborted + count.unknown + count.open;
  if (count.partial || (well && badly)) return "partly";
  if (well) return "delivered";
  if (count.rejected) return "refused";
  if (count.unknown) return "unknown";
  if (count.aborted || count.open) return "not-sent";
  return refused(session) ? "refused" : "no-mail";
}

function refused(session) {
  for (const entry of session.entries.values()) if (entry.refusal) return true;
  return false;
}

// The first line of the verdict in two: what became of the mail, and why.
export function leadOf(session) {
  const line = session.end && session.end.verdict.find((one) => one.kind === "lead");
  if (!line) return { what: "", why: "", line: null };
  const text = ours(line.text);
  const at = text.indexOf(line.cause || line.reason ? "; " : "\n");
  const colon = text.indexOf(": ");
  if (text.length > 60 && at > 0) return { what: text.slice(0, at), why: text.slice(at + 2), line };
  if (text.length > 60 && colon > 0 && colon < 60) return { what: text.slice(0, colon), why: text.slice(colon + 2), line };
  return { what: text, why: "", line };
}

// The messages that were announced, or what there is of an envelope.
export function envelopeOf(session) {
  const first = session.transactions[0];
  if (first) {
    const more = first.recipients.length - 1 + Math.max(0, first.rcpt_sent - first.recipients.length);
    const last = session.transactions[session.transactions.length - 1];
    return { from: first.reverse_path || "<>", to: first.recipients.length ? first.recipients[0].forward_path : "",
             more: Math.max(0, more), messages: last.number };
  }
  return null;
}

export function tookOf(session, now) {
  if (session.end) return session.end.totals.ended_ns - session.end.totals.began_ns;
  const last = session.items[session.items.length - 1];
  return Math.max(0, (now || (last ? last.time_ns : session.began)) - session.began);
}

// Of an open session: what it waits for, as far as the records tell.
export function waitingFor(session) {
  let owed = 0, last = null;
  for (const record of session.items) {
    if (record.event !== "entry") continue;
    last = record;
    if (record.side === "client") owed += record.kind === "command" || record.kind === "auth-response" || record.kind === "mail-data" ? 1 : 0;
    else if (record.kind === "reply" && owed > 0) owed -= 1;
  }
  if (!last) return session.connected ? { side: "server", what: "the greeting" } : { side: "server", what: "the connection" };
  if (owed > 0) return { side: "server", what: "a reply" };
  if (last.kind === "reply" && last.code === 354) return { side: "client", what: "mail data" };
  return { side: "client", what: "a command" };
}

// Facts of a session that has ended are made once.
export function factsOf(session, now) {
  if (session.facts && session.factsOf === session.end) return session.facts;
  const facts = makeFacts(session, now);
  if (session.end) {
    session.facts = facts;
    session.factsOf = session.end;
  }
  return facts;
}

function makeFacts(session, now) {
  const outcome = outcomeOf(session);
  const lead = leadOf(session);
  const findings = {};
  let worst = null;
  for (const one of session.standing) {
    findings[one.severity] = (findings[one.severity] || 0) + 1;
    if (!worst || worse(worst, one.severity) > 0) worst = one.severity;
  }
  const idle = session.end ? session.end.totals.idle : { client_ns: 0, server_ns: 0, proxy_ns: 0 };
  let tone = TONES[outcome];
  if (tone === "none" && (worst === "warning" || worst === "error")) tone = "wrn";
  // Delivered, but not as it was meant: cut short, or twice.
  if (tone === "ok" && worst === "error") tone = "wrn";
  return { outcome, tone, icon: ICONS[tone], words: OUTCOME_WORDS[outcome], why: whyOf(session, outcome, lead, worst, now),
           envelope: envelopeOf(session), took: tookOf(session, now), idle, findings, worst,
           fault: lead.line && lead.line.side !== "unknown" && lead.line.side !== "none" ? lead.line.side : "",
           certainty: lead.line ? lead.line.certainty : "" };
}

// Behind the outcome: the server's words, or the cause.
function whyOf(session, outcome, lead, worst, now) {
  if (session.failed) return ours(session.failed.reason);
  if (session.open) {
    const waits = waitingFor(session);
    const last = session.items[session.items.length - 1];
    const silent = now && last ? now - last.time_ns : 0;
    return silent >= 1e9 ? `${waits.side} silent for ${Math.floor(silent / 1e9)} s, owes ${waits.what}` : `${waits.side} owes ${waits.what}`;
  }
  if (outcome === "refused" || outcome === "partly") {
    for (const entry of session.entries.values()) {
      if (entry.refusal && entry.lines && entry.lines.length) return ours(entry.code + " " + (entry.lines[0].text || ""));
    }
  }
  if (outcome === "delivered") {
    if (worst === "error" && lead.why) return lead.why;
    const messages = session.end.totals.transactions;
    return messages > 1 ? counted(messages, "message") : "";
  }
  return lead.why || lead.what.replace(/^no (message|mail)(: |$)/i, "");
}

export function waitsInWords(idle) {
  return [["client", idle.client_ns], ["server", idle.server_ns], ["proxy", idle.proxy_ns]]
    .filter(([, ns]) => ns >= 1e6).map(([side, ns]) => ({ side, words: brief(ns), ns }));
}
