// What can be taken out of the page: Markdown for an issue or a mail, records for programs.

import { el } from "./elements.js";
import { leadOf } from "./facts.js";
import { placeOf } from "./records.js";
import { entryText, rowsOf, sinceWords } from "./timeline.js";
import { brief, clock, counted, day, ours, sinceStart, zone } from "./words.js";

// A session as Markdown: the verdict, and the timeline in a block that no line of it can end.
export function markdownOf(session) {
  const lines = [];
  for (const row of rowsOf(session, false)) {
    if (row.type === "entry") lines.push(`${sinceStart(row.time).padStart(9)} ${sinceWords(row.since).padStart(9)}  ${row.letter}  ${entryText(row.record)}`);
    else if (row.type === "event") lines.push(`${sinceStart(row.time).padStart(9)} ${"".padStart(9)}  ${row.letter}  -- ${row.words}`);
    else if (row.type === "silence") lines.push(`   --- ${brief(row.record.length_ns)}, ${row.words} ---`);
    else if (row.type === "finding") lines.push(`${"".padStart(24)}! ${row.record.severity} ${row.record.rule}: ${ours(row.record.text)}`);
    else lines.push(`${"".padStart(24)}${row.words}`);
  }
  const text = lines.join("\n");
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map((run) => run[0].length + 1)));
  const { time, ms } = clock(session.wall);
  const plain = (words) => words.replace(/[\\`*_{}[\]<>#|]/g, "\\$&");
  const lead = leadOf(session);
  const verdict = session.end ? session.end.verdict.filter((line) => line.kind !== "lead").map((line) => "- " + plain(ours(line.text))) : [];
  return [`**Session ${session.key}**, ${day(session.wall)} ${time}${ms} ${zone(session.wall)}, ${plain(ours(session.client))} to ${plain(ours(session.server))}`, "",
    plain([lead.what, lead.why].filter(Boolean).join("; ")), "", ...verdict, "", fence + "text", text, fence, ""].join("\n");
}

function recordsOf(records, sessions) {
  const lines = [];
  for (const run of records.runs) {
    const { summary, ...record } = run;
    lines.push(JSON.stringify(record));
    for (const session of sessions.filter((one) => one.run === run)) {
      for (const record of [session.start, ...session.items, session.end]) if (record) lines.push(JSON.stringify(record));
    }
    if (summary) lines.push(JSON.stringify({ event: "run-ended", summary }));
  }
  return lines.join("\n") + "\n";
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // From a file there is no clipboard without leave: the old way.
    const area = el("textarea", { class: "vh" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

function save(name, blob) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function download(name, text) { save(name, new Blob([text], { type: "application/jsonl" })); }

// What a server makes of its file: a line of JSON that says what it is, and then it.
async function fetchExport(query) {
  const answer = await fetch("export?" + new URLSearchParams(query));
  if (!answer.ok) throw new Error(await answer.text());
  const octets = new Uint8Array(await answer.arrayBuffer());
  const end = octets.indexOf(10);
  const head = JSON.parse(new TextDecoder().decode(octets.subarray(0, end)));
  if (head.failed) throw new Error(head.failed);
  return { name: head.name, blob: new Blob([octets.subarray(end + 1)], { type: head.type }) };
}

// What is to be saved, where a server has the file: redacted unless told otherwise.
// What is read again is one run; of several the dialog asks which.
function serverForm(app, session, shown, done) {
  const number = (run) => app.records.runs.indexOf(run) + 1;
  const runs = [...new Set(shown.map((one) => one.run))];
  const option = (name, value, words, checked) => el("label", { class: "opt" }, el("input", { type: "radio", name, value, checked }), " ", words);
  const redacted = el("input", { type: "checkbox", checked: true, name: "redacted", onchange: () => {
    done.textContent = redacted.checked ? "" : "Names, addresses and what is kept of messages will be in it as they are.";
  } });
  const button = el("button", { class: "btn main", type: "submit" }, "Save");
  const form = el("form", { class: "exp", onsubmit: async (event) => {
    event.preventDefault();
    const of = new FormData(form);
    button.disabled = true;
    done.textContent = redacted.checked ? "Names are being replaced …" : "It is being written …";
    try {
      const whole = of.get("what") !== "session";
      const { name, blob } = await fetchExport({ run: whole ? of.get("what") : placeOf(session.key)[0], session: whole ? 0 : session.id, q: app.filter, format: of.get("as"), redacted: redacted.checked ? "yes" : "no" });
      save(name, blob);
      done.textContent = `Saved as ${name}${redacted.checked ? ": names are pseudonyms, messages are left out. Look through it before you send it." : ", with names, addresses and messages as they are."}`;
    } catch (error) {
      done.textContent = "It cannot be saved: " + ours(error.message);
    }
    button.disabled = false;
  } },
  el("fieldset", {}, el("legend", {}, "What"), session && option("what", "session", `session ${session.key}`, true),
    runs.map((run, i) => {
      const count = counted(shown.filter((one) => one.run === run).length, "session");
      const file = runs.length > 1 ? " of " + ours(run.source).split("/").pop() : "";
      return option("what", number(run), (app.filter ? count + " that the filter keeps" : "all " + count) + file, !session && i === 0);
    })),
  el("fieldset", {}, el("legend", {}, "As"), option("as", "html", "report, a page like this to send", true), option("as", "markdown", "Markdown, for an issue tracker", false),
    option("as", "pcapng", "packets, for Wireshark", false), option("as", "jsonl", "JSON Lines, for programs", false)),
  el("p", {}, el("label", {}, redacted, " Redacted: names and addresses become pseudonyms, messages are left out")),
  el("p", {}, button));
  return form;
}

// A dialog; `session` is the one in view, or null, `shown` the sessions that the filter keeps.
export function exportDialog(app, session, shown) {
  const done = el("p", { role: "status" });
  const button = (words, act) => el("button", { class: "btn", type: "button", onclick: act }, words);
  const file = app.records.runs.length === 1 && app.records.runs[0].source !== "live" ? ours(app.records.runs[0].source) : "FILE.smtpcap";
  const filter = app.filter ? ` --filter '${app.filter.replace(/'/g, "'\\''")}'` : "";
  const redacted = app.records.runs.length > 0 && app.records.runs.every((run) => run.redacted);
  const served = app.feed && app.feed.olderUrl && (session || shown.length > 0);
  const markdown = session && button("Copy this session as Markdown", async () => { await copy(markdownOf(session)); done.textContent = "Copied."; });
  const records = button(`Save ${counted(shown.length, "session")}${shown.length > 0 && !redacted ? ", not redacted," : ""} as JSON Lines`, () => download("smtpscope.jsonl", recordsOf(app.records, shown)));
  const dialog = el("dialog", { class: "help", "aria-label": "Export" }, el("h1", {}, "Export"),
    served ? serverForm(app, session, shown, done) : el("p", {}, markdown, " ", records), done,
    served ? el("p", { class: "mut" }, redacted ? "Or as shown: " : "Or as shown here, whatever is chosen above: with names. ", markdown, " ", records)
      : [el("p", { class: "mut" }, redacted ? "Names are pseudonyms here already: this report can be passed on as it is." : "Both hold names and addresses as they are here. What may be shown to others is made from the capture, with pseudonyms:"),
        !redacted && el("pre", { class: "mono" }, `smtpscope report ${file} -o report\nsmtpscope redact ${file} -o public.smtpcap`),
        el("p", { class: "mut" }, "And other formats from it, with names:"),
        el("pre", { class: "mono" }, `smtpscope show -f html -o part.html${filter} ${file}\nsmtpscope show -f pcapng -o part.pcapng${filter} ${file}`)],
    button("Close", () => dialog.close()));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
