// The octets of an entry, in hexadecimal and as text.

import { el } from "./elements.js";

const MOST = 2048;

// What is kept of [begin, end) of a side's stream: { at, octet, masked } in order, and holes.
function stretchesIn(session, side, begin, end) {
  const found = [];
  for (const one of session.octets[side]) {
    const from = Math.max(begin, one.at), to = Math.min(end, one.at + one.octets.length);
    if (from < to) found.push({ from, to, record: one });
  }
  return found.sort((a, b) => a.from - b.from);
}

export function hasOctets(session) {
  return session.octets.client.length + session.octets.server.length > 0;
}

// A character for each octet, as far as they are kept from the beginning on.
export function octetsOf(session, side, begin, end) {
  let text = "", at = begin;
  for (const { from, to, record } of stretchesIn(session, side, begin, end)) {
    if (from > at) break;
    text += record.octets.slice(from - record.at, to - record.at);
    at = to;
  }
  return text;
}

function isMasked(record, offset) {
  const masks = record.masked || [];
  for (let i = 0; i < masks.length; i += 2) if (offset >= masks[i] && offset < masks[i] + masks[i + 1]) return true;
  return false;
}

const hex2 = (n) => n.toString(16).padStart(2, "0");

export function hexDump(session, side, begin, end, all) {
  const pre = el("pre", { class: "hex", tabindex: "0", "aria-label": "Octets" });
  const width = 8;
  let at = begin, left = all ? Infinity : MOST;
  const hole = (octets) => pre.append(el("span", { class: "hole" }, `      ${octets} octet${octets === 1 ? "" : "s"} not kept\n`));
  for (const { from, to, record } of stretchesIn(session, side, begin, end)) {
    if (from > at) hole(from - at);
    for (let line = from; line < to && left > 0; line += width) {
      pre.append(el("span", { class: "o" }, (line - begin).toString(16).padStart(4, "0") + "  "));
      const last = Math.min(to, line + width);
      const text = [];
      for (let i = line; i < line + width; ++i) {
        if (i >= last) { pre.append("   "); continue; }
        const octet = record.octets.charCodeAt(i - record.at);
        const masked = isMasked(record, i - record.at);
        const odd = masked ? "m" : octet < 32 || octet > 126 ? "z" : null;
        pre.append(odd ? el("span", { class: odd }, hex2(octet)) : hex2(octet), " ");
        text.push([odd, octet < 32 || octet > 126 ? "·" : String.fromCharCode(octet)]);
      }
      pre.append(" ");
      for (const [odd, character] of text) pre.append(odd ? el("span", { class: odd }, character) : character);
      pre.append("\n");
      left -= width;
    }
    at = to;
    if (left <= 0) break;
  }
  if (left > 0 && at < end) hole(end - at);
  return { pre, cut: left <= 0 && at < end };
}
