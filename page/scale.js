// The session to scale: what the folded waterfall below hides. Ticks up for the client, down for the
// server, silences hatched, messages above, findings below.

import { el, icon, styled } from "./elements.js";
import { tookOf } from "./facts.js";
import { side } from "./list.js";
import { brief, ours } from "./words.js";

const MOST_TICKS = 400;

function steps(length) {
  const raw = length / 6;
  const size = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((n) => n * size).find((n) => n >= raw);
}

export function toScale(session, choose) {
  const length = tookOf(session);
  if (length < 1e6 || session.entries.size < 2) return [];
  const percent = (ns) => ((ns - session.began) / length) * 100;
  const at = (element, ns) => styled(element, { left: percent(ns).toFixed(3) + "%" });
  const band = el("div", { class: "ov" });
  for (const silence of session.silences) {
    const width = (silence.length_ns / length) * 100;
    if (width < 0.3) continue;
    const words = width > 30 ? `${silence.silent === "unknown" ? "both" : silence.silent === "proxy" ? "smtpscope" : silence.silent} silent ${brief(silence.length_ns)}` +
      (silence.owed && width > 45 ? `, owes ${ours(silence.owed)}` : "") : width > 6 ? brief(silence.length_ns) : "";
    band.append(styled(el("button", { type: "button", class: "sl " + side(silence.silent), title: words, "aria-label": `silence of ${brief(silence.length_ns)}`,
      onclick: () => choose(silence) }, words && el("b", {}, words)), { left: percent(silence.from_ns).toFixed(3) + "%", width: width.toFixed(3) + "%" }));
  }
  let last = { client: -1, server: -1 }, ticks = 0;
  for (const entry of session.entries.values()) {
    const place = percent(entry.first_ns);
    if (place - last[entry.side] < 0.08 || ++ticks > MOST_TICKS) continue;
    last[entry.side] = place;
    band.append(at(el("i", { class: "tk " + side(entry.side) }), entry.first_ns));
  }
  let free = -100;
  for (const transaction of session.transactions) {
    const place = percent(transaction.began_ns);
    if (place < free) continue;
    const words = `message ${transaction.number}: ${({ accepted: "delivered", rejected: "refused", aborted: "never sent", partial: "in part" })[transaction.outcome] || transaction.outcome}`;
    const right = place > 75;
    const label = el("span", { class: "tx" + (right ? " r" : "") }, icon(transaction.outcome === "accepted" ? "ok" : "no"), " ", words);
    styled(label, right ? { right: (100 - percent(transaction.ended_ns)).toFixed(3) + "%" } : { left: place.toFixed(3) + "%" });
    band.append(label);
    free = place + 14;
  }
  free = -100;
  let held = null;
  for (const one of session.standing) {
    if (one.severity === "info") continue;
    const place = percent(one.about_ns);
    if (place < free && held) {
      held.count += 1;
      held.number.textContent = held.count;
      continue;
    }
    held = { count: 1, number: el("span", {}) };
    band.append(at(el("a", { class: "fm" + (place > 97 ? " r" : ""), href: `#s=${session.key}&f=${one.number}`, title: one.rule }, icon(one.severity, one.severity), held.number), one.about_ns));
    free = place + 2;
  }
  const step = steps(length);
  for (let ns = 0; ns <= length; ns += step) {
    band.append(at(el("span", { class: "axl" }), session.began + ns));
    if (ns + step / 3 > length && ns < length * 0.97 && ns > 0) continue;
    const words = length >= 1e9 ? +(ns / 1e9).toFixed(3) + " s" : +(ns / 1e6).toFixed(3) + " ms";
    band.append(at(el("span", { class: "axn" + (ns === 0 ? " first" : ns > length * 0.95 ? " last" : "") }, words), session.began + ns));
  }
  return [band];
}
