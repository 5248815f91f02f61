// The rows of a session's timeline: the lines of the text exporter, and beside each what the lanes
// show. One list for waterfall and table, so nothing has to be kept in step.

import { brief, counted, duration, ours, sideName, wire } from "./words.js";

const CHARS = { "nul": "NUL", "eight-bit": "8-bit", "bare-cr": "bare CR", "control": "control characters",
                "cut-for-display": "longer than what is kept", "early": "sent early", "after-gap": "after a hole in the trace" };

function lineNotes(record) {
  const notes = [];
  if (record.line_ending === "none") notes.push("no line end");
  else if (record.line_ending) notes.push("ends in " + record.line_ending);
  for (const flag of record.flags || []) if (["early", "after-gap", "cut-for-display"].includes(flag)) notes.push(CHARS[flag]);
  return notes;
}

function hidden(record) {
  return record.hidden_octets ? `‹${counted(record.hidden_octets, "octet")} hidden›` : "";
}

function factNotes(facts) {
  const notes = [];
  if (facts.longest_line > 1000) notes.push("longest line " + facts.longest_line);
  if (facts.bare_cr) notes.push(counted(facts.bare_cr, "bare CR"));
  if (facts.bare_lf) notes.push(counted(facts.bare_lf, "bare LF"));
  if (facts.nul) notes.push(facts.nul + " NUL");
  if (facts.eight_bit) notes.push("8-bit");
  if (facts.unstuffed_dots) notes.push(counted(facts.unstuffed_dots, "unstuffed dot"));
  if (facts.doubtful_ends) {
    const number = Object.values(facts.doubtful_ends).reduce((a, b) => a + b, 0);
    notes.push(`${counted(number, "doubtful end")}, the first ${facts.first_doubtful_end}`);
  }
  return notes;
}

const LOOKED_FOR = ["SIZE", "STARTTLS", "AUTH", "PIPELINING", "CHUNKING", "SMTPUTF8", "8BITMIME"];

// "mx.example.net SIZE=10240000 STARTTLS +5"
function offered(entry) {
  const lines = entry.lines.slice(1).map((line) => wire(line, "text"));
  const known = LOOKED_FOR.map((name) => lines.find((line) => line.toUpperCase().split(/[ =]/)[0] === name)).filter(Boolean);
  const rest = entry.line_count - 1 - known.length;
  return [wire(entry.lines[0], "text").split(/[ \t]/)[0], ...known.map((line) => {
    const at = line.search(/[ =]/);
    return at < 0 ? line : line.slice(0, at) + "=" + line.slice(at + 1).replace(/ /g, ",");
  }), rest > 0 ? "+" + rest : ""].filter(Boolean).join(" ");
}

// By what people know a message: its Subject and Message-ID.
export function headline(entry) {
  return [entry.subject && `"${wire(entry, "subject")}"`, entry.message_id && wire(entry, "message_id")].filter(Boolean).join(" ");
}

// What an entry says: `lead` stands out, `text` is the wire's, `notes` are ours.
export function entryWords(entry) {
  const notes = [];
  let lead = "", text = "";
  switch (entry.kind) {
    case "command": {
      const all = wire(entry, "text");
      const at = all.search(/[ \t]/);
      lead = at < 0 ? all : all.slice(0, at);
      text = [at < 0 ? "" : all.slice(at).trim(), hidden(entry)].filter(Boolean).join(" ");
      notes.push(...lineNotes(entry));
      break;
    }
    case "auth-response":
      text = entry.quit ? "QUIT" : entry.cancelled ? "*" : hidden(entry);
      notes.push(entry.quit ? "gives up at the challenge" : entry.cancelled ? "cancels the authentication" : "answer to the challenge",
        ...lineNotes(entry));
      break;
    case "reply": {
      const lines = entry.lines;
      lead = String(entry.code).padStart(3, "0") + (entry.line_count > 1 ? "-" : "");
      if (lines.length && entry.line_count > 1 && entry.answers_verb === "EHLO" && entry.code < 300) text = offered(entry);
      else if (lines.length) text = wire(lines[0], "text");
      if (entry.line_count > 1 && !(entry.answers_verb === "EHLO" && entry.code < 300)) notes.push(entry.line_count + " lines");
      if (entry.incomplete) notes.push("incomplete");
      if (entry.codes_differ) notes.push("the lines' codes differ");
      if (entry.answers === "nothing") notes.push("answers nothing");
      if (entry.answers === "unsolicited" || entry.unsolicited) notes.push("unasked");
      if (entry.ordinal) notes.push("reply " + (entry.ordinal + 1));
      notes.push(...lineNotes(entry));
      break;
    }
    case "garbage-line":
      text = [wire(entry, "text"), hidden(entry)].filter(Boolean).join(" ");
      notes.push("not a reply", ...lineNotes(entry));
      break;
    case "mail-data": {
      const facts = entry.facts;
      text = headline(entry);
      if (facts.unseen) notes.push("mail data, which the trace does not have");
      else {
        notes.push("mail data " + counted(facts.octets, "octet"), counted(facts.lines, "line"));
        if (entry.read_count) notes.push(counted(entry.read_count, "read"));
        notes.push(...factNotes(facts));
      }
      if (entry.early_octets) notes.push(counted(entry.early_octets, "octet") + " sent early");
      if (entry.missing_octets) notes.push(counted(entry.missing_octets, "octet") + " missing in the trace");
      if (entry.assumed) notes.push("taken for content without a 354");
      if (entry.answered_early) notes.push("answered before its end");
      if (entry.ended_by === "candidate") notes.push(`the server took ${facts.first_doubtful_end} for the end`);
      if (entry.ended_by === "cut") notes.push("cut: no end-of-data");
      if (entry.ended_by === "gap") notes.push("the end is in a hole of the trace");
      break;
    }
    case "chunk":
      text = headline(entry);
      notes.push(entry.incomplete ? `chunk ${entry.end - entry.begin} of ${counted(entry.declared_octets, "octet")}, incomplete`
        : "chunk " + counted(entry.end - entry.begin, "octet"));
      if (entry.last) notes.push("the last");
      if (entry.facts.unseen) notes.push("which the trace does not have");
      else {
        if (entry.read_count) notes.push(counted(entry.read_count, "read"));
        notes.push(...factNotes(entry.facts));
      }
      if (entry.missing_octets) notes.push(counted(entry.missing_octets, "octet") + " missing in the trace");
      break;
    case "blob":
      notes.push(`XEXCH50 data ${entry.end - entry.begin} of ${counted(entry.declared_octets, "octet")}`);
      if (entry.incomplete) notes.push("incomplete");
      break;
    case "proxy-header":
      text = wire(entry, "text");
      notes.push("PROXY protocol " + entry.version);
      if (entry.local) notes.push("names no client");
      break;
    case "tls-record": {
      const hello = entry.client_hello, answer = entry.server_hello;
      if (hello) {
        notes.push("TLS ClientHello");
        if (hello.server_name) notes.push("SNI " + wire(hello, "server_name"));
        notes.push(hello.lowest_version && hello.lowest_version !== hello.highest_version
          ? `${hello.lowest_version} to ${hello.highest_version}` : hello.highest_version);
        notes.push(counted(hello.ciphers_offered, "cipher"));
      } else if (answer) {
        notes.push("TLS " + (answer.retry ? "HelloRetryRequest" : "ServerHello"), answer.version, answer.cipher);
      } else {
        notes.push("TLS " + entry.record);
        if (entry.handshake) notes.push(entry.handshake);
      }
      if (entry.certificates && entry.certificates.length) notes.push("certificate " + wire(entry.certificates[0], "subject"));
      if (entry.alert) notes.push((entry.fatal ? "fatal " : "warning ") + entry.alert);
      notes.push(counted(entry.end - entry.begin, "octet"));
      if (entry.incomplete) notes.push("incomplete");
      break;
    }
    case "junk":
      if (entry.reason === "not a TLS record" && (entry.text_b64 || /[^\t\x20-\x7e]/.test(entry.text))) {
        notes.push(counted(entry.end - entry.begin, "octet") + " inside TLS that are no whole record");
        break;
      }
      text = [wire(entry, "text"), hidden(entry)].filter(Boolean).join(" ");
      notes.push(entry.reason, counted(entry.end - entry.begin, "octet"), ...lineNotes(entry));
      break;
  }
  if (entry.undelivered) notes.push(`not delivered: the ${entry.side === "client" ? "server" : "client"} was gone`);
  const words = notes.map(ours).join(", ");
  return { lead, text, notes: lead || text ? (words ? `(${words})` : "") : words };
}

export function entryText(entry) {
  const words = entryWords(entry);
  return [words.lead, words.text, words.notes].filter(Boolean).join(" ");
}

export function silenceWords(silence) {
  const someone = silence.silent === "client" || silence.silent === "server" || silence.silent === "proxy";
  let words = someone ? sideName(silence.silent) + " silent" : "both silent";
  if (silence.owed) words += someone ? `, owes ${ours(silence.owed)}` : `, awaited: ${ours(silence.owed)}`;
  if (silence.message_octets !== undefined) words += `, ${counted(silence.message_octets, "octet")} into the message`;
  return words;
}

export function closeWords(record) {
  const who = record.side;
  let words = record.by_proxy ? `smtpscope ends the connection to the ${who}`
    : { fin: `${who} closes`, reset: `${who} resets the connection`, rst: `${who} resets the connection`,
        timeout: `the connection to the ${who} timed out` }[record.how] || `the connection to the ${who} failed`;
  if (record.reason) words += ": " + ours(record.reason);
  return words;
}

export function outcomeWords(transaction) {
  const name = transaction.outcome + (transaction.outcome === "aborted" && transaction.aborted_by ? " by " + transaction.aborted_by : "");
  const sent = transaction.rcpt_sent, accepted = transaction.rcpt_accepted;
  const recipients = sent === 0 ? "no recipient was given"
    : accepted === sent ? counted(accepted, "recipient") + " accepted" : `${accepted} of ${counted(sent, "recipient")} accepted`;
  const message = transaction.message;
  const size = message && !message.facts.unseen ? counted(message.facts.octets, "octet") : "";
  switch (transaction.outcome) {
    case "accepted": return [name, counted(accepted, "recipient"), size].filter(Boolean).join(", ");
    case "partial": return [name, recipients, size].filter(Boolean).join(", ");
    case "rejected": return [name, refusalWords(transaction), message && message.end_sent && size].filter(Boolean).join(", ");
    case "aborted": return [name, recipients, message && message.wire_octets ? counted(message.wire_octets, "octet") + " of the message sent" : "nothing sent"].join(", ");
    case "unknown": return [name, recipients, size, message && message.end_sent ? "its reply was not seen" : ""].filter(Boolean).join(", ");
    default: return name;
  }
}

function refusalWords(transaction) {
  const bad = (code) => code >= 400;
  const message = transaction.message || {};
  if (bad(transaction.mail_code)) return `the sender was refused with ${transaction.mail_code}`;
  if (bad(message.final_code)) return `the message was refused with ${message.final_code}`;
  if (bad(message.code)) return `${message.verb} was refused with ${message.code}`;
  if (transaction.rcpt_refused && !transaction.rcpt_accepted) return counted(transaction.rcpt_refused, "recipient") + " refused";
  return "";
}

export function tlsWords(record) {
  const parts = [`TLS with the ${record.with}`];
  if (!record.completed) parts.push("failed" + (record.failed_by ? ` by ${sideName(record.failed_by)}` : ""));
  for (const name of ["version", "cipher"]) if (record[name]) parts.push(wire(record, name));
  if (record.resumed) parts.push("resumed");
  return parts.join(", ") + " in " + duration(record.took_ns) + (record.failure ? ": " + wire(record, "failure") : "");
}

function gapWords(record) {
  let words = "the trace has a hole: " + (record.octets ? counted(record.octets, "octet")
    : record.events ? counted(record.events, "event") : "an unknown number of octets");
  if (record.side) words += " from the " + record.side;
  return words + (record.why ? ` (${ours(record.why)})` : "");
}

// A finding that a drawn silence says already, and knows no more than it.
function repeatsSilence(annotation, behindSilence) {
  return behindSilence && annotation.severity === "info" && (annotation.rule === "gap-client" || annotation.rule === "gap-server");
}

// Rows: { type, record, id, time, since, side, letter, words, turn: who owes [in front, behind], mark }
export function rowsOf(session, folded) {
  const rows = [];
  let owes = "server";        // whoever owes the next octet
  let outstanding = 1;        // replies, the greeting first
  let behindSilence = false;
  let inside = false;         // a transaction
  const began = session.began;
  const push = (type, record, more) => {
    rows.push({ type, record, time: record.time_ns - began, since: 0, mark: inside ? "inside" : "", ...more });
  };
  if (session.connected) owes = "proxy";
  for (const record of session.items) {
    switch (record.event) {
      case "connected":
        push("event", record, { side: "proxy", letter: "·", arrow: "connect", before: "proxy", behind: "server",
          words: (record.server ? `connected to ${ours(record.server)}` : "connected") + (record.took_ns > 0 ? ` in ${duration(record.took_ns)}` : "") +
            (record.failed_attempts ? `, after ${record.failed_attempts} that did not answer` : "") });
        owes = "server";
        break;
      case "connect-failed":
        push("event", record, { side: "proxy", letter: "P", before: "proxy", behind: "", words: "no connection to the server: " + ours(record.reason) });
        owes = "";
        break;
      case "entry": {
        const before = owes;
        const handshake = record.kind === "tls-record" || record.kind === "proxy-header";
        if (!handshake) {
          if (record.side === "client") {
            if (record.kind === "command" || record.kind === "auth-response" || record.kind === "mail-data") outstanding += 1;
            owes = record.kind === "command" && (record.verb === "BDAT") ? "client" : "server";
          } else if (record.kind === "reply") {
            outstanding = Math.max(0, outstanding - 1);
            owes = outstanding > 0 ? "server" : "client";
          }
        }
        const mark = record.mark || (inside ? "inside" : "");
        rows.push({ type: "entry", record, id: record.number, time: record.first_ns - began,
          since: behindSilence ? 0 : record.since_previous_ns, side: record.by_proxy ? "proxy" : record.side,
          letter: record.by_proxy ? "P" : record.side === "client" ? "C" : "S",
          arrow: record.side, fat: record.kind === "mail-data" || record.kind === "chunk", tls: record.tls || record.kind === "tls-record",
          before, behind: owes, mark });
        inside = mark === "begins" || mark === "inside";
        behindSilence = false;
        break;
      }
      case "silence":
        push("silence", record, { side: record.silent, before: record.silent, behind: record.silent, words: silenceWords(record) });
        behindSilence = true;
        break;
      case "annotation":
        if (!folded && (record.folded_under || repeatsSilence(record, behindSilence))) break;
        push("finding", record, { id: record.number, before: owes, behind: owes, quiet: !!record.folded_under });
        break;
      case "transaction": {
        const open = inside && !record.last_entry;
        push("result", record, { before: owes, behind: owes, words: `transaction ${record.number}: ${outcomeWords(record)}`,
          mark: open ? "ends-badly" : inside ? "inside" : "" });
        if (open) inside = false;
        break;
      }
      case "closed":
        push("event", record, { side: record.by_proxy ? "proxy" : record.side, letter: record.by_proxy ? "P" : record.side === "client" ? "C" : "S",
          since: behindSilence ? 0 : record.since_previous_ns, closes: record.side, before: owes, behind: "", words: closeWords(record) });
        owes = "";
        behindSilence = false;
        break;
      case "tls":
        push("event", record, { side: record.with, letter: record.with === "client" ? "C" : "S", tls: true, icon: "lock",
          since: behindSilence ? 0 : record.since_previous_ns, before: owes, behind: owes, words: tlsWords(record) });
        behindSilence = false;
        break;
      case "tls-alert":
        push("event", record, { side: record.by_proxy ? "proxy" : record.side, letter: record.by_proxy ? "P" : record.side === "client" ? "C" : "S",
          tls: true, before: owes, behind: owes, words: `TLS alert${record.by_proxy ? ` to the ${record.side === "client" ? "server" : "client"}` : ""}: ` +
            `${record.level === 2 ? "fatal" : "warning"} ${record.name}` });
        break;
      case "aside":
        push("event", record, { side: record.side === "client" ? "proxy" : "server", letter: record.side === "client" ? "P" : "S",
          before: owes, behind: owes,
          words: (record.side === "client" ? "smtpscope to the server: " : "the server to smtpscope: ") + wire(record, "text").replace(/(\\r|\\n)+$/, "") });
        break;
      case "rewritten":
        push("remark", record, { before: owes, behind: owes,
          words: record.scenario ? `altered by the scenario: ${record.scenario}` : `rewritten: the ${record.side === "client" ? "server" : "client"} was given ${wire(record, "instead")} instead` });
        break;
      case "remark":
        push("event", record, { letter: " ", since: behindSilence ? 0 : record.since_previous_ns, before: owes, behind: owes,
          words: `${record.by ? `${record.by} logs` : "the log says"}: ${wire(record, "text")}` });
        behindSilence = false;
        break;
      case "gap":
        push("warning", record, { before: owes, behind: owes, words: gapWords(record) });
        break;
      case "tcp":
        push(record.lost ? "warning" : "remark", record, { before: owes, behind: owes, words: `TCP: ${record.text}` });
        break;
      case "stalled":
        push("warning", record, { before: owes, behind: owes, words: `smtpscope itself was stalled for ${duration(record.to_ns - record.from_ns)}: times around here are late` });
        break;
      case "blocked":
        push("warning", record, { before: owes, behind: owes, words: `${record.side} did not read for ${duration(record.to_ns - record.from_ns)}, ${counted(record.octets, "octet")} waited` });
        break;
    }
  }
  return rows;
}

export function sinceWords(ns) {
  return ns > 0 ? brief(ns) : "";
}
