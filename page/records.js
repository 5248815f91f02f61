// The records of -f jsonl, put together to runs and sessions. Nothing is judged here.

class Session {
  constructor(run, id, key) {
    this.run = run;
    this.id = id;
    this.key = key;
    this.items = [];        // records in the order in which they came
    this.entries = new Map();
    this.annotations = [];
    this.silences = [];
    this.transactions = [];
    this.closes = [];
    this.octets = { client: [], server: [] };
    this.start = null;      // "session-started"
    this.connected = null;
    this.failed = null;     // "connect-failed"
    this.end = null;        // "session-ended"
    this.headline = null;   // the first entry that tells a message's Subject or Message-ID
    this.first = null;      // the first record, where the beginning is not in the trace
    this.readBack = false;  // its records came of a file, all at once
  }

  // The trace may end before the session does; what is known then is its end, too.
  get open() { return !this.end || !!this.end.unfinished; }
  get began() { return (this.start || this.first).time_ns; }
  get wall() { return (this.start || this.first).wall; }
  get client() { return this.start ? this.start.client : ""; }
  get route() { return this.start ? this.start.route || "" : ""; }
  get server() { return this.connected ? this.connected.server : this.start ? this.start.upstream : ""; }
  // Findings that no other one says as well.
  get standing() {
    if (!this.end) return this.annotations.filter((one) => !one.folded_under);
    this.stood ||= this.annotations.filter((one) => !one.folded_under);
    return this.stood;
  }
  // Its beginning in milliseconds since 1970.
  get at() { return (this.stamp ??= Date.parse(this.wall)); }
}

const LISTS = { annotation: "annotations", silence: "silences", transaction: "transactions", closed: "closes" };

export class Records {
  constructor() {
    this.runs = [];
    this.sessions = new Map();  // by key, in the order in which they began
    this.gaps = [];             // of nobody knows which session
    this.taps = null;           // "taps": the two runs are one, seen from two places
    this.version = 0;           // another one with each record
  }

  // Where a session is found again: "12", in a second run "2.12".
  key(id) {
    const run = Math.max(this.runs.length, 1);
    return run === 1 ? String(id) : run + "." + id;
  }

  // Gives the session that the record is of, or null.
  take(record) {
    this.version += 1;
    if (record.event === "run") {
      this.runs.push({ ...record, summary: null });
      return null;
    }
    const run = this.runs[this.runs.length - 1];
    if (record.event === "run-ended") {
      if (run) run.summary = record.summary;
      return null;
    }
    if (!record.session) {
      if (record.event === "taps") this.taps = record;
      if (record.event === "gap" || record.event === "output-gap") this.gaps.push(record);
      return null;
    }
    const key = this.key(record.session);
    let session = this.sessions.get(key);
    // What comes of a session that was read back meanwhile is all of it, from its beginning.
    if (!session || session.readBack) {
      session = new Session(run, record.session, key);
      this.sessions.set(key, session);
    }
    if (record.event === "octets") {
      session.octets[record.side].push(record);
      return session;
    }
    if (!session.first) session.first = record;
    this.add(session, record);
    return session;
  }

  add(session, record) {
    switch (record.event) {
      case "session-started": session.start = record; return;
      case "session-ended": session.end = record; return;
      case "annotation-folded": {
        const folded = session.annotations.find((one) => one.number === record.number);
        if (folded) folded.folded_under = record.folded_under;
        return;
      }
      case "connected": session.connected = record; break;
      case "connect-failed": session.failed = record; break;
      case "entry":
        session.entries.set(record.number, record);
        if (!session.headline && (record.subject || record.message_id)) session.headline = record;
        break;
      default:
        if (LISTS[record.event]) session[LISTS[record.event]].push(record);
    }
    session.items.push(record);
  }
}

// Where a session stands among all: [run, number].
export function placeOf(key) {
  const at = String(key).indexOf(".");
  return at < 0 ? [1, Number(key)] : [Number(key.slice(0, at)), Number(key.slice(at + 1))];
}

export function isBefore([run, id], [otherRun, otherId]) {
  return run < otherRun || (run === otherRun && id < otherId);
}

// Sessions of one run, read back from its file, among those that are here. Gives how many are new.
export function merge(records, run, lines) {
  const read = new Records();
  let older = null;
  for (const line of lines.split("\n")) {
    if (!line) continue;
    const record = JSON.parse(line);
    if (record.event === "older") older = record;
    else read.take(record);
  }
  let added = 0;
  for (const session of read.sessions.values()) {
    const key = run === 1 ? String(session.id) : run + "." + session.id;
    if (records.sessions.has(key)) continue;
    Object.assign(session, { key, run: records.runs[run - 1], readBack: true });
    records.sessions.set(key, session);
    added += 1;
  }
  if (added) {
    const all = [...records.sessions].map(([key, session]) => [placeOf(key), key, session]);
    all.sort(([a], [b]) => a[0] - b[0] || a[1] - b[1]);
    records.sessions = new Map(all.map(([, key, session]) => [key, session]));
    records.version += 1;
  }
  return { added, older };
}

// Unpacks what HtmlExporter wrote: gzip in base64.
export async function unpack(base64) {
  const text = atob(base64.trim());
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) octets[i] = text.charCodeAt(i);
  const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

export function read(lines, into) {
  for (const line of lines.split("\n")) {
    if (line) into.take(JSON.parse(line));
  }
  return into;
}
