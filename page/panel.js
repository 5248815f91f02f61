// What there is to know of the chosen line, decoded, and its octets.

import { el, icon, styled } from "./elements.js";
import { CODES, COMMANDS, enhanced } from "./meanings.js";
import { messageOf } from "./mime.js";
import { hasOctets, hexDump, octetsOf } from "./octets.js";
import { entryText, outcomeWords, silenceWords } from "./timeline.js";
import { clock, counted, duration, ours, sideName, sinceStart, wire } from "./words.js";

const KIND = { command: "command", reply: "reply", "auth-response": "login", "mail-data": "mail data", chunk: "chunk", blob: "data",
               "garbage-line": "line", junk: "octets", "tls-record": "TLS record", "proxy-header": "PROXY header" };

// [term, description, note] rows; what is empty is left out.
function facts(rows) {
  return el("dl", {}, rows.filter((row) => row && (row[1] || row[1] === 0)).map(([term, what, note]) =>
    [el("dt", {}, term), el("dd", {}, what, note && el("span", { class: "mut" }, note))]));
}

const mono = (text) => el("span", { class: "mono" }, text);

function section(title, ...content) {
  return el("section", {}, title && el("h2", {}, title), ...content);
}

function header(view, row, what, ...words) {
  const button = (sign, label, by) => el("button", { class: "btn", type: "button", "aria-label": label, onclick: () => view.step(by, (one) => one.type !== "result") }, sign);
  return el("header", {}, el("b", {}, what), ...words, el("span", { class: "sp" }), el("span", { class: "btns" },
    button("↑", "The line before", -1), button("↓", "The next line", 1),
    el("button", { class: "btn narrow", type: "button", onclick: () => view.pane.classList.toggle("up") }, "details")));
}

function link(view, number) {
  return el("a", { href: `#s=${view.session.key}&e=${number}` }, "entry " + number);
}

function pathOf(text) {
  const found = /<([^>]*)>/.exec(text);
  return found ? found[1] || "<> (the null reverse-path: a bounce)" : "";
}

function commandFacts(view, entry) {
  const text = wire(entry, "text");
  const known = COMMANDS[entry.verb];
  const answer = [...view.session.entries.values()].find((one) => one.answers_entry === entry.number);
  const path = entry.verb === "MAIL" || entry.verb === "RCPT" ? pathOf(text) : "";
  const parameters = path || /<>/.test(text) ? text.slice(text.indexOf(">") + 1).trim() : "";
  return [["Command", mono(entry.verb || "unknown"), known && known[1]], ["Means", known && known[0]],
    entry.verb === "MAIL" && ["From", mono(path)], entry.verb === "RCPT" && ["To", mono(path)],
    parameters && ["Parameters", mono(parameters)],
    answer ? ["Answer", mono(answer.code + " " + (answer.lines.length ? wire(answer.lines[0], "text") : "")), [`after ${duration(answer.think_ns || 0)}, `, link(view, answer.number)]]
      : ["Answer", "none seen"],
    entry.hidden_octets && ["Hidden", counted(entry.hidden_octets, "octet") + " of credentials"],
    entry.replies_owed_before && ["Pipelined", counted(entry.replies_owed_before, "reply").replace("replys", "replies") + " owed before it"]];
}

function replyFacts(view, entry) {
  const rows = [["Code", mono(entry.code), CODES[entry.code]]];
  const codes = new Set();
  for (const line of entry.lines) {
    const code = enhanced(line.text);
    if (code && !codes.has(code[0])) { codes.add(code[0]); rows.push(["Enhanced", mono(code[0]), [code[1], code[1] && ", ", code[2]]]); }
  }
  if (entry.answers_entry) rows.push(["Answers", [mono(entry.answers_verb || ""), " ", link(view, entry.answers_entry)], entry.think_ns !== undefined && "after " + duration(entry.think_ns)]);
  else rows.push(["Answers", { greeting: "nothing: the greeting", nothing: "nothing that was sent", unsolicited: "nothing: it came by itself" }[entry.answers] || entry.answers]);
  if (entry.refusal) {
    rows.push(["Refused for", entry.refusal.reason, [entry.refusal.temporary ? "temporary" : "permanent", ", known by ", entry.refusal.how_known]]);
  }
  return rows;
}

// The keywords of a reply to EHLO, or all of its lines.
function replyLines(entry) {
  if (entry.line_count < 2) return false;
  return section(entry.answers_verb === "EHLO" ? "Offered" : "Lines", el("ul", { class: "lines" }, entry.lines.map((line, i) =>
    el("li", {}, String(line.code || "").padStart(3, "0"), i + 1 === entry.line_count ? " " : "-", wire(line, "text")))),
  entry.lines.length < entry.line_count && el("p", { class: "mut" }, `${entry.line_count - entry.lines.length} more are not in the record`));
}

function messageFacts(entry) {
  const of = entry.facts;
  if (of.unseen) return [["Content", "not in the trace"]];
  return [["Subject", entry.subject && wire(entry, "subject")], ["Message-ID", entry.message_id && mono(wire(entry, "message_id"))],
    ["Size", counted(of.octets, "octet"), counted(of.lines, "line")], ["Longest line", counted(of.longest_line, "octet")],
    of.bare_cr && ["Bare CR", of.bare_cr, of.first_bare_cr_at && "the first at " + of.first_bare_cr_at],
    of.bare_lf && ["Bare LF", of.bare_lf, of.first_bare_lf_at && "the first at " + of.first_bare_lf_at],
    of.nul && ["NUL", of.nul, of.first_nul_at && "the first at " + of.first_nul_at], of.eight_bit && ["8-bit octets", of.eight_bit],
    of.dot_lines && ["Lines with a dot", of.dot_lines, "stuffed (RFC 5321 4.5.2)"], of.unstuffed_dots && ["Unstuffed dots", of.unstuffed_dots],
    entry.ended_by && ["End", { strict: "CR LF . CR LF, as it must be", candidate: "an odd one, which the server took", cut: "none: it was cut", gap: "in a hole of the trace" }[entry.ended_by]],
    entry.declared_octets !== undefined && ["Declared", counted(entry.declared_octets, "octet"), entry.last ? "the last chunk" : ""]];
}

function tree(part, depth = 0) {
  return [styled(el("li", {}, mono(part.type), el("span", { class: "mut" }, ` ${counted(part.octets, "octet")}${part.encoding ? ", " + ours(part.encoding) : ""}`),
    part.name && [" ", ours(part.name)]), { "padding-left": depth * 14 + "px" }), ...part.parts.flatMap((one) => tree(one, depth + 1))];
}

function messageSections(view, entry) {
  const text = octetsOf(view.session, entry.side, entry.begin, entry.end);
  if (!text) return [];
  const message = messageOf(text.replace(/\r\n\.\r\n$/, "\r\n").replace(/(^|\r\n)\./g, "$1"));
  if (!message.fields.length) return [];
  return [section("Header", el("dl", { class: "fields" }, message.fields.map((field) => [el("dt", {}, ours(field.name)), el("dd", { class: "mono" }, ours(field.value))]))),
    section("Parts", el("ul", { class: "parts" }, tree(message)))];
}

function tlsFacts(record) {
  const hello = record.client_hello || {}, answer = record.server_hello || {};
  return [["Record", record.record, record.handshake], ["Version", answer.version || hello.highest_version || record.version], ["Server name", hello.server_name && wire(hello, "server_name")],
    ["Ciphers", hello.ciphers_offered && hello.ciphers_offered + " offered"], ["Cipher", answer.cipher], ["ALPN", (hello.alpn_offered || []).map(ours).join(", ") || (answer.alpn && wire(answer, "alpn"))],
    ["Alert", record.alert, record.fatal ? "fatal" : ""], ["Length", counted(record.length || 0, "octet")]];
}

function chain(certificates, title) {
  if (!certificates || !certificates.length) return false;
  return section(title, certificates.map((one) => facts([["Subject", mono(wire(one, "subject"))], ["Issuer", mono(wire(one, "issuer"))],
    ["Names", (one.names || []).map(ours).join(", ")], ["Valid", one.not_before && `${ours(one.not_before)} to ${ours(one.not_after)}`], ["Key", one.key && ours(one.key)],
    ["SHA-256", one.sha256 && mono(ours(one.sha256))]])));
}

function octetSection(view, entry) {
  const octets = entry.end - entry.begin;
  if (octets <= 0) return false;
  if (!hasOctets(view.session)) return section("Octets", el("p", { class: "mut" }, `${counted(octets, "octet")}, which this record does not hold`));
  const box = el("div", {});
  const draw = (all) => {
    const dump = hexDump(view.session, entry.side, entry.begin, entry.end, all);
    box.replaceChildren(dump.pre);
    if (dump.cut) box.append(el("button", { class: "btn", type: "button", onclick: () => draw(true) }, `all ${octets} octets`));
  };
  draw(false);
  return section("Octets", box);
}

function resting(view, entry) {
  const found = view.session.annotations.filter((one) => one.entries.includes(entry.number));
  if (!found.length) return false;
  return section("Findings that rest on it", el("ul", { class: "fl" }, found.map((one) =>
    el("li", {}, icon(one.severity, one.severity), el("a", { href: `#s=${view.session.key}&f=${one.number}` }, ours(one.text))))));
}

function times(view, entry) {
  const { began } = view.session;
  const { time } = clock(entry.wall);
  const fraction = /\.(\d+)/.exec(entry.wall);
  const before = view.session.entries.get(entry.number - 1);
  return section("Times", facts([["At", mono(sinceStart(entry.first_ns - began) + " s"), `${time}.${fraction ? fraction[1] : "0"}`],
    entry.last_ns !== entry.first_ns && ["Until", mono(sinceStart(entry.last_ns - began) + " s")],
    before && ["Since before", duration(entry.since_previous_ns)],
    ["Reads", entry.read_count || "", `${counted(entry.end - entry.begin, "octet")}, ${entry.side} stream ${entry.begin}–${entry.end}`],
    ...entry.reads.slice(0, entry.reads.length > 1 ? 8 : 0).map((read) => ["", mono(sinceStart(read.time_ns - began)), counted(read.octets, "octet")])]));
}

export function entryPanel(view, row) {
  const entry = row.record;
  const kind = { command: () => commandFacts(view, entry), reply: () => replyFacts(view, entry), "mail-data": () => messageFacts(entry), chunk: () => messageFacts(entry),
                 "tls-record": () => tlsFacts(entry) }[entry.kind];
  const rewritten = view.session.items.find((one, i) => one.event === "rewritten" && view.session.items[i - 1] === entry);
  return [header(view, row, "Entry " + entry.number, el("span", { class: "who" }, `${sideName(row.side)} ${KIND[entry.kind] || entry.kind}`)),
    el("p", { class: "say" }, entryText(entry)),
    section("", facts([...(kind ? kind() : []), entry.transaction && ["Message", entry.transaction, { begins: "begins here", "ends-well": "ends here", "ends-badly": "ends here" }[entry.mark]],
      entry.tls && ["TLS", "it came inside TLS"], entry.by_proxy && ["Said by", "smtpscope itself"], entry.undelivered && ["Undelivered", "the other side was gone"],
      rewritten && rewritten.scenario && ["Altered by the scenario", rewritten.scenario], rewritten && rewritten.instead && ["Given instead", mono(wire(rewritten, "instead"))]])),
    entry.kind === "reply" && replyLines(entry), resting(view, entry), times(view, entry),
    ...(entry.kind === "mail-data" || entry.kind === "chunk" ? messageSections(view, entry) : []),
    chain(entry.certificates, "Certificates"), octetSection(view, entry)].filter(Boolean);
}

export function findingPanel(view, row) {
  const one = row.record;
  const entries = one.entries.map((number) => view.session.entries.get(number)).filter(Boolean);
  return [header(view, row, one.severity, el("code", { class: "mut" }, one.rule)),
    el("p", { class: "tx" }, icon(one.severity), " ", ours(one.text)),
    section("", facts([["Side", one.fault], ["Certainty", one.certainty], ["Variant", one.variant], ["Message", one.transaction], ["Part of", one.folded_under],
      ...Object.entries(one.attributes).map(([name, value]) => [ours(name).replace(/_/g, " "), mono(ours(value))]), ["More", mono("smtpscope explain " + one.rule)]])),
    entries.length > 0 && section("Evidence", el("ul", { class: "pr" }, entries.map((entry) => el("li", {}, el("a", { href: `#s=${view.session.key}&e=${entry.number}` },
      el("span", { class: "mono mut" }, sinceStart(entry.first_ns - view.session.began)), el("span", { class: "mono who " + (entry.side === "client" ? "c" : "s") }, entry.side === "client" ? "C" : "S"),
      el("span", { class: "mono" }, entryText(entry)))))))].filter(Boolean);
}

export function silencePanel(view, row) {
  const one = row.record;
  const folded = view.session.annotations.filter((each) => each.about_ns >= one.from_ns && each.about_ns <= one.to_ns && /gap|pause|silent|idle|delay/.test(each.rule));
  return [header(view, row, "Silence", el("span", { class: "who" }, one.silent === "unknown" ? "of both" : sideName(one.silent))),
    el("p", { class: "tx" }, capital(silenceWords(one))),
    section("", facts([["Length", duration(one.length_ns)], ["From", mono(sinceStart(one.from_ns - view.session.began))], ["To", mono(sinceStart(one.to_ns - view.session.began))],
      ["Message", one.transaction]])),
    folded.length > 0 && section("Findings", el("ul", { class: "fl" }, folded.map((each) => el("li", {}, icon(each.severity, each.severity),
      el("a", { href: `#s=${view.session.key}&f=${each.number}` }, ours(each.text))))))].filter(Boolean);
}

function capital(text) { return text[0].toUpperCase() + text.slice(1); }

export function eventPanel(view, row) {
  const { record } = row;
  const { time, ms } = clock(record.wall);
  const rows = [["At", mono(sinceStart(record.time_ns - view.session.began) + " s"), time + ms]];
  if (record.event === "transaction") {
    rows.push(["From", mono(record.reverse_path ? wire(record, "reverse_path") : "<>")], ["Outcome", outcomeWords(record)],
      ...record.recipients.map((each) => ["To", mono(wire(each, "forward_path")), each.final_code || each.code]));
  }
  if (record.event === "tls") {
    rows.push(["With", record.with], ["Took", duration(record.took_ns)], ...[["Version", "version"], ["Cipher", "cipher"], ["Server name", "server_name"], ["ALPN", "alpn"],
      ["Verification", "verification"], ["Failure", "failure"], ["Alert", "alert_name"]].map(([term, name]) => [term, record[name] && wire(record, name)]),
    ["Differs", (record.differences || []).map(ours).join("; ")]);
  }
  return [header(view, row, { transaction: "Message " + record.number, tls: "TLS handshake", closed: "Close", gap: "Hole" }[record.event] || "Event"),
    el("p", { class: "tx" }, row.words), section("", facts(rows)), chain(record.certificates, "Certificates")].filter(Boolean);
}
