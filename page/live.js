// The records of a run as they come, over one connection that mends itself.

import { isBefore, merge, placeOf, Records } from "./records.js";

// Sessions that the page keeps; the oldest that have ended go first.
const MOST_SESSIONS = 20000;
const LOST_AFTER = 15000;   // ms without a word, three times what the server leaves between two
const FULL_AFTER = 5000;    // ms without a connection
const ASLEEP_AFTER = 10000; // ms that nobody looks

export class Feed {
  // `changed` is told the sessions that have changed; `renewed` that all begins anew; `state` one of
  // "connecting", "full" (the browser has no connection free), "live", "whole" (nothing more will
  // come) and "lost". `older` is where sessions are read back that the server does not hold.
  constructor(url, older, { changed, renewed, state }) {
    this.url = url;
    this.olderUrl = older;
    this.told = { changed, renewed, state };
    this.records = new Records();
    this.skew = 0;       // of the server's clock against ours, ms
    this.missing = null; // [run, session] before which sessions may be missing
    this.most = MOST_SESSIONS;
    this.last = "";      // the number of the last record
    this.state = "connecting";
    this.dirty = new Set();
    this.timer = 0;
    this.source = null;
    this.connect();
    setInterval(() => this.watch(), 1000);
    // A browser has six connections to a host for all its tabs: those that nobody sees do without.
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.sleep);
      if (!document.hidden) { if (!this.source) this.connect(); return; }
      this.sleep = setTimeout(() => { this.source.close(); this.source = null; }, ASLEEP_AFTER);
    });
  }

  connect() {
    this.heard = Date.now();
    const source = new EventSource(this.url + (this.last ? "?after=" + encodeURIComponent(this.last) : ""));
    this.source = source;
    source.onmessage = (event) => { this.last = event.lastEventId; this.take(event.data); };
    source.addEventListener("clock", (event) => { this.skew = Number(event.data) - Date.now(); this.hear("live"); });
    source.addEventListener("whole", () => this.hear("whole"));
    source.addEventListener("resync", (event) => {
      const { run, before } = JSON.parse(event.data);
      this.records = new Records();
      this.missing = before ? [run, before] : null;
      this.told.renewed();
    });
    // The browser connects anew by itself, with the number of the last record, unless it was refused.
    source.onerror = () => {
      this.turn("lost");
      if (source.readyState === EventSource.CLOSED && source === this.source) setTimeout(() => { if (source === this.source) this.connect(); }, 2000);
    };
  }

  hear(state) {
    this.heard = Date.now();
    this.turn(state);
  }

  turn(state) {
    if (this.state === state) return;
    this.state = state;
    this.told.state(state);
  }

  watch() {
    if (!this.source) return;
    const silent = Date.now() - this.heard;
    if (this.state === "live" && silent > LOST_AFTER) this.turn("lost");
    if (this.state === "connecting" && silent > FULL_AFTER) this.turn("full");
  }

  // Records that came together, a line each.
  take(lines) {
    this.heard = Date.now();
    for (const line of lines.split("\n")) this.dirty.add(this.records.take(JSON.parse(line)));
    if (!this.timer) this.timer = setTimeout(() => this.tell(), 250);
  }

  tell() {
    this.timer = 0;
    const changed = this.dirty;
    this.dirty = new Set();
    this.forget();
    this.told.changed(changed);
  }

  forget() {
    let excess = this.records.sessions.size - this.most;
    if (excess <= 0) return;
    for (const [key, session] of this.records.sessions) {
      if (excess <= 0) return;
      if (!session.end) continue;
      this.records.sessions.delete(key);
      const [run, id] = placeOf(key);
      if (!this.missing || isBefore(this.missing, [run, id + 1])) this.missing = [run, id + 1];
      excess -= 1;
    }
  }

  // Whether it may be read back: it is older than what is here.
  mayReadBack(key) {
    const place = placeOf(key);
    return !!this.olderUrl && !!this.missing && place[1] > 0 && isBefore(place, this.missing);
  }

  async ask(run, from, before) {
    const answer = await fetch(`${this.olderUrl}?run=${run}&from=${from}&before=${before}`);
    if (!answer.ok) throw new Error(await answer.text());
    const { added, older } = merge(this.records, run, await answer.text());
    this.most += added;  // who asked for them is to see them
    if (older && older.failed) throw new Error(older.failed);
    return { added, older };
  }

  // The one session. Gives whether it is here now.
  async readBack(key) {
    const [run, id] = placeOf(key);
    return (await this.ask(run, id, id + 1)).added > 0;
  }

  // The sessions before the oldest that are known to be all here.
  async readOlder() {
    const { older } = await this.ask(this.missing[0], 1, this.missing[1]);
    this.missing = older && older.before ? [older.run, older.before] : null;
  }

  // Nanoseconds since the run began.
  now() {
    const run = this.records.runs[this.records.runs.length - 1];
    return run ? (Date.now() + this.skew - Date.parse(run.started)) * 1e6 : 0;
  }
}
