// The filter language of docs/filter.md, which timeline/filter/ speaks on the command line. Both are
// held to one table, tests/page/filters.txt.

import { OUTCOMES, outcomeOf, tookOf } from "./facts.js";

export class FilterError extends Error {
  constructor(column, message) {
    super(message);
    this.column = column;  // from 1
  }
}

const KEYS = {
  from: text((session) => session.transactions.map((one) => one.reverse_path)),
  to: text((session) => session.transactions.flatMap((one) => one.recipients.map((each) => each.forward_path))),
  client: host((session) => [session.client]),
  server: host((session) => [session.connected ? session.connected.server : "", session.start ? session.start.upstream : ""]),
  route: (value) => {
    const pattern = glob(lower(value), true);
    return (session) => pattern.test(lower(session.route));
  },
  code: code,
  verb: verb,
  rule: text((session) => session.standing.map((one) => one.rule)),
  reason: (value) => {
    const matches = matcher(value);
    return (session) => anyEntry(session, (one) => one.refusal && matches(one.refusal.reason));
  },
  cause: text((session) => (session.end ? session.end.verdict : []).filter((one) => one.kind === "lead").map((one) => one.cause || "")),
  outcome: outcome,
  slower: slower,
  in: within,
};
export const KEY_NAMES = Object.keys(KEYS);

function anyEntry(session, check) {
  for (const entry of session.entries.values()) if (check(entry)) return true;
  return false;
}

// ASCII only, as on the command line. Where there is nothing else the browser does it in one go.
function lower(string) {
  if (!/[^\0-\x7f]/.test(string)) return string.toLowerCase();
  return string.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function glob(pattern, whole) {
  const source = pattern.replace(/[\\^$.|+()[\]{}]/g, "\\$&").replace(/\*/g, "[^]*").replace(/\?/g, "[^]");
  return new RegExp(whole ? "^" + source + "$" : source, "u");
}

// Whole texts where there are wildcards, else parts of them.
function matcher(value) {
  const wanted = lower(value);
  if (!/[*?]/.test(wanted)) return (candidate) => lower(candidate).includes(wanted);
  const pattern = glob(wanted, true);
  return (candidate) => pattern.test(lower(candidate));
}

function text(candidates) {
  return (value) => {
    const matches = matcher(value);
    return (session) => candidates(session).some((one) => matches(one));
  };
}

// "192.0.2.1:25", "[2001:db8::1]:25", "mx.example:25"
function hostOf(address) {
  const bracketed = /^\[(.*)\](:\d+)?$/.exec(address);
  if (bracketed) return bracketed[1];
  const port = /^([^:]*):\d+$/.exec(address);
  return port ? port[1] : address;
}

// The bits of an address, 32 or 128 of them, or null.
export function bitsOf(address) {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (four) {
    const parts = four.slice(1).map(Number);
    return parts.every((part) => part < 256) ? parts.map((part) => part.toString(2).padStart(8, "0")).join("") : null;
  }
  if (!/^[0-9a-fA-F:.]+$/.test(address) || !address.includes(":")) return null;
  let ending = address;
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (mapped) {
    const bits = bitsOf(mapped[2]);
    if (!bits) return null;
    ending = mapped[1] + parseInt(bits.slice(0, 16), 2).toString(16) + ":" + parseInt(bits.slice(16), 2).toString(16);
  }
  const halves = ending.split("::");
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  if (groups.flat().some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  const missing = 8 - groups.flat().length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const all = halves.length === 1 ? groups[0] : [...groups[0], ...Array(missing).fill("0"), ...groups[1]];
  return all.map((group) => parseInt(group, 16).toString(2).padStart(16, "0")).join("");
}

// Of hosts that were asked for before; a run has few.
const known = new Map();

function bitsOfHost(address) {
  const host = hostOf(address);
  let bits = known.get(host);
  if (bits === undefined) {
    bits = bitsOf(host);
    if (known.size > 100000) known.clear();
    known.set(host, bits);
  }
  return bits;
}

function host(candidates) {
  return (value, column) => {
    const network = /^(.*)\/(\d{1,3})$/.exec(value);
    if (network) {
      const bits = bitsOf(network[1]), length = Number(network[2]);
      if (!bits || length > bits.length) {
        throw new FilterError(column, `'${value}' is no network; write 192.0.2.0/24 or 2001:db8::/32`);
      }
      return (session) => candidates(session).some((one) => {
        const of = bitsOfHost(one);
        return of !== null && of.length === bits.length && of.startsWith(bits.slice(0, length));
      });
    }
    const address = bitsOf(value);
    if (address) return (session) => candidates(session).some((one) => bitsOfHost(one) === address);
    const matches = matcher(value);
    return (session) => candidates(session).some((one) => matches(hostOf(one)));
  };
}

function code(value, column) {
  if (/^[1-5][0-9]{0,2}$/.test(value)) {
    return (session) => anyEntry(session, (one) => one.kind === "reply" && String(one.code).padStart(3, "0").startsWith(value));
  }
  if (/^[245]\.[0-9]{1,3}(\.[0-9]{1,3})?$/.test(value)) {
    return (session) => anyEntry(session, (one) => one.kind === "reply" && one.lines.some((line) => {
      if (!line.text.startsWith(value)) return false;
      const next = line.text[value.length];
      return next === undefined || next === " " || next === ".";
    }));
  }
  throw new FilterError(column, `'${value}' is no reply code; write 5, 550 or 5.7.1`);
}

function verb(value) {
  const pattern = glob(lower(value), true);
  return (session) => anyEntry(session, (one) =>
    one.kind === "command" && pattern.test(lower(one.verb || one.text.split(" ", 1)[0])));
}

function outcome(value, column) {
  const wanted = lower(value);
  if (!OUTCOMES.includes(wanted)) {
    throw new FilterError(column, `'${value}' is no outcome; there are ${OUTCOMES.join(", ")}`);
  }
  return (session) => outcomeOf(session) === wanted;
}

const UNITS = { us: 1e3, ms: 1e6, s: 1e9, m: 60e9, min: 60e9, h: 3600e9 };

function slower(value, column) {
  const read = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)(us|ms|s|m|min|h)?$/.exec(value);
  if (!read) throw new FilterError(column, `'${value}' is no time; write 2s, 500ms or 1m`);
  const least = Number(read[1]) * UNITS[read[2] || "s"];
  return (session) => tookOf(session) > least;
}

// A moment, and how much of it was written: { of: "day" or "date", from, to } in milliseconds.
function moment(written, column) {
  const clock = /^(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(written);
  if (clock && clock[1] < 24 && clock[2] < 60 && (clock[3] || 0) < 60) {
    const from = ((Number(clock[1]) * 60 + Number(clock[2])) * 60 + Number(clock[3] || 0)) * 1000;
    return { of: "day", from, to: from + (clock[3] ? 1000 : 60000) };
  }
  const date = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}))?(Z)?)?$/.exec(written);
  if (date) {
    const [year, month, mday, hour, minute, second] = date.slice(1, 7).map((part) => Number(part || 0));
    const ok = month >= 1 && month <= 12 && mday >= 1 && mday <= 31 && hour < 24 && minute < 60 && second < 60;
    const from = date[7] ? Date.UTC(year, month - 1, mday, hour, minute, second)
                         : new Date(year, month - 1, mday, hour, minute, second).getTime();
    if (ok) return { of: "date", from, to: from + (date[6] ? 1000 : date[4] ? 60000 : 86400000) };
  }
  throw new FilterError(column, `'${written}' is no time; write 14:05, 2026-11-23 or 2026-11-23T14:05:00`);
}

function within(value, column) {
  const at = value.indexOf("..");
  const from = at === 0 ? null : moment(at < 0 ? value : value.slice(0, at), column);
  const rest = at < 0 ? "" : value.slice(at + 2);
  const to = at < 0 ? from : rest ? moment(rest, column + at + 2) : null;
  if (!from && !to) throw new FilterError(column, "'..' is no time; write 14:00..14:05");
  if (from && to && from.of !== to.of) throw new FilterError(column, `'${value}' has a date on one side only`);
  const until = at < 0 ? from.to : to ? to.from : Infinity;
  const since = from ? from.from : -Infinity;
  return (session) => {
    if ((from || to).of === "date") return session.at >= since && session.at < until;
    const wall = new Date(session.at);
    const stamp = ((wall.getHours() * 60 + wall.getMinutes()) * 60 + wall.getSeconds()) * 1000 + wall.getMilliseconds();
    return stamp >= since && stamp < until;
  };
}

// All that a free word is looked for in, a line each.
function haystack(session) {
  if (session.haystack && session.haystackOf === session.items.length && session.haystackEnded === !!session.end) return session.haystack;
  const lines = [session.client, session.server, session.start ? session.start.upstream : ""];
  for (const record of session.items) {
    if (record.event === "entry") {
      if (record.text) lines.push(record.text);
      if (record.subject) lines.push(record.subject);
      if (record.message_id) lines.push(record.message_id);
      for (const line of record.lines || []) lines.push((line.code ? line.code + " " : "") + line.text);
    } else if (record.event === "annotation") {
      lines.push(record.rule, record.text);
    } else if (record.event === "connect-failed") {
      lines.push(record.reason);
    }
  }
  for (const line of session.end ? session.end.verdict : []) lines.push(line.text);
  session.haystackOf = session.items.length;
  session.haystackEnded = !!session.end;
  session.haystack = lower(lines.join("\n"));
  return session.haystack;
}

// Makes what free words are looked for in, a piece at a time, while the browser has nothing else to
// do: whoever types the first letter does not wait for it. Gives a function that ends it.
export function prepare(sessions) {
  const left = [...sessions];
  let timer = 0;
  const some = () => {
    const until = performance.now() + 8;
    while (left.length && performance.now() < until) haystack(left.pop());
    timer = left.length ? setTimeout(some, 0) : 0;
  };
  timer = setTimeout(some, 0);
  return () => clearTimeout(timer);
}

function free(value) {
  const wanted = lower(value);
  if (!/[*?]/.test(wanted)) return (session) => haystack(session).includes(wanted);
  const source = glob(wanted, false).source.replace(/\[\^\]/g, "[^\\n]");
  const pattern = new RegExp(source, "u");
  return (session) => pattern.test(haystack(session));
}

// Words, quotation marks taken off; `plain` is how much in front of the first of them was written without.
function words(expression) {
  const found = [];
  let at = 0;
  while (at < expression.length) {
    const c = expression[at];
    if (c === " " || c === "\t") { ++at; continue; }
    if (c === "(" || c === ")") { found.push({ column: at + 1, sign: c }); ++at; continue; }
    const word = { column: at + 1, text: "", plain: -1 };
    while (at < expression.length && !" \t()".includes(expression[at])) {
      if (expression[at] !== '"') { word.text += expression[at++]; continue; }
      if (word.plain < 0) word.plain = word.text.length;
      const end = expression.indexOf('"', at + 1);
      if (end < 0) throw new FilterError(at + 1, "the quotation mark is not closed");
      word.text += expression.slice(at + 1, end);
      at = end + 1;
    }
    if (word.plain < 0) word.plain = word.text.length;
    found.push(word);
  }
  return found;
}

function term(word) {
  const colon = word.text.indexOf(":");
  if (colon > 0 && colon < word.plain) {
    const name = lower(word.text.slice(0, colon));
    const value = word.text.slice(colon + 1);
    if (KEYS[name]) {
      if (!value) throw new FilterError(word.column + colon + 1, `nothing follows '${name}:'`);
      return KEYS[name](value, word.column + colon + 1);
    }
    if (/^[a-z]+$/.test(name)) {
      throw new FilterError(word.column, `there is no '${name}:'; there are ${KEY_NAMES.join(": ")}: (or put the word in quotation marks)`);
    }
  }
  if (!word.text) throw new FilterError(word.column, "nothing stands between the quotation marks");
  return free(word.text);
}

class Parser {
  constructor(expression) {
    this.words = words(expression);
    this.at = 0;
    this.end = expression.length + 1;
  }
  get next() { return this.words[this.at]; }
  is(operator) {
    const word = this.next;
    return word && !word.sign && word.plain === word.text.length && lower(word.text) === operator;
  }
  all() {
    const filter = this.either();
    if (this.next) throw new FilterError(this.next.column, "this ')' closes nothing");
    return filter;
  }
  either() {
    let left = this.both();
    while (this.is("or")) {
      ++this.at;
      const a = left, b = this.both();
      left = (session) => a(session) || b(session);
    }
    return left;
  }
  both() {
    let left = this.one();
    while (this.next && this.next.sign !== ")" && !this.is("or")) {
      if (this.is("and")) ++this.at;
      const a = left, b = this.one();
      left = (session) => a(session) && b(session);
    }
    return left;
  }
  one() {
    const word = this.next;
    if (!word) throw new FilterError(this.end, "something is to follow here");
    ++this.at;
    if (word.sign === ")") throw new FilterError(word.column, "something is to stand in front of this ')'");
    if (word.sign === "(") {
      const inner = this.either();
      if (!this.next) throw new FilterError(word.column, "this '(' is not closed");
      ++this.at;
      return inner;
    }
    --this.at;
    if (this.is("not")) {
      ++this.at;
      const inner = this.one();
      return (session) => !inner(session);
    }
    if (this.is("and") || this.is("or")) throw new FilterError(word.column, `something is to stand in front of '${word.text}'`);
    ++this.at;
    return term(word);
  }
}

// A function of a session. Throws FilterError. Nothing but blanks keeps all.
export function filterOf(expression) {
  if (!expression.trim()) return () => true;
  return new Parser(expression).all();
}
