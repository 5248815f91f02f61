// Numbers, times and texts in words: those of the text timeline, so that page and terminal agree.

export function counted(number, noun) {
  return number + " " + noun + (number === 1 ? "" : "s");
}

// "85 µs", "4 ms", "10.001 s", "5 min 3 s"
export function duration(ns) {
  if (ns < 0) return "-" + duration(-ns);
  if (ns < 999500) return Math.floor((ns + 500) / 1000) + " µs";
  const ms = Math.floor((ns + 500000) / 1e6);
  if (ms < 1000) return ms + " ms";
  if (ms < 120000) return Math.floor(ms / 1000) + "." + String(ms % 1000).padStart(3, "0") + " s";
  const s = Math.floor(ms / 1000);
  if (s < 7200) return Math.floor(s / 60) + " min " + (s % 60) + " s";
  return Math.floor(s / 3600) + " h " + (Math.floor(s / 60) % 60) + " min";
}

// Two decimals are enough for the eye: "1.12 s".
export function brief(ns) {
  if (ns >= 1e9 - 5e5 && ns < 120e9) return (ns / 1e9).toFixed(ns < 10e9 ? 2 : 1) + " s";
  return duration(ns);
}

// "+11.126": rounded down, so that it never runs ahead of a later one.
export function sinceStart(ns) {
  const ms = Math.floor(Math.max(ns, 0) / 1e6);
  return "+" + Math.floor(ms / 1000) + "." + String(ms % 1000).padStart(3, "0");
}

const two = (n) => String(n).padStart(2, "0");

// Local time of day of an RFC 3339 instant, and its milliseconds.
export function clock(wall) {
  const at = new Date(wall);
  return { time: two(at.getHours()) + ":" + two(at.getMinutes()) + ":" + two(at.getSeconds()),
           ms: "." + String(at.getMilliseconds()).padStart(3, "0") };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function day(wall) {
  const at = new Date(wall);
  return at.getDate() + " " + MONTHS[at.getMonth()] + " " + at.getFullYear();
}

export function zone(wall) {
  const minutes = -new Date(wall).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return "UTC" + (minutes < 0 ? "-" : "+") + two(Math.floor(size / 60)) + ":" + two(size % 60);
}

// Characters that drive a terminal, hide, or reorder what stands around them (exporters/escape.cc).
const UNSAFE = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f" +
                          "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb" +
                          "\\u{e0000}-\\u{e0fff}]", "gu");
const SHORT = { "\t": "\\t", "\r": "\\r", "\n": "\\n" };

function escaped(character) {
  const code = character.codePointAt(0);
  if (SHORT[character]) return SHORT[character];
  if (code < 0x80) return "\\x" + code.toString(16).toUpperCase().padStart(2, "0");
  return "\\u{" + code.toString(16).toUpperCase() + "}";
}

// A sentence of smtpscope's, which may quote the wire.
export function ours(text) {
  return text.replace(UNSAFE, escaped);
}

// Text of the wire: a member of a record. Where the octets were no UTF-8 it is escaped already.
export function wire(record, name) {
  const text = record[name] || "";
  if (record[name + "_b64"] !== undefined) return text;
  return text.replace(/\\/g, "\\\\").replace(UNSAFE, escaped);
}

export function sideName(side) {
  return side === "proxy" ? "smtpscope" : side;
}

export const LETTER = { client: "C", server: "S", proxy: "P" };
