// The page: the same for a report, which carries its records, and for a live run.

import { exportDialog } from "./actions.js";
import { CompareView } from "./compare.js";
import { el } from "./elements.js";
import { filterOf } from "./filter.js";
import { ListView } from "./list.js";
import { Feed } from "./live.js";
import { read, Records, unpack } from "./records.js";
import { RunView } from "./run.js";
import { SessionView } from "./session.js";
import { TapsView } from "./taps.js";
import { ours } from "./words.js";

// Of views besides the list and a session, in the bar.
const NAMES = new Map([[CompareView, "compare"], [TapsView, "taps"], [RunView, "run"]]);

function stateOf(fragment) {
  return Object.fromEntries(new URLSearchParams(fragment.replace(/^#/, "")));
}

// In the place of a session that is not here.
class AbsentView {
  constructor(app, key) {
    this.app = app;
    this.wanted = key;
    this.head = el("h1", {});
    this.words = el("p", {});
    this.element = el("main", { id: "main" }, el("div", { class: "answer", role: "status" }, this.head, this.words));
  }

  close() { this.closed = true; }
  tick() {}
  refresh() {}
  key() { return false; }

  async open() {
    const { feed } = this.app;
    if (!feed.mayReadBack(this.wanted)) {
      this.head.textContent = `There is no session ${this.wanted} here.`;
      this.words.textContent = feed.missing && !feed.olderUrl ? "It may have been: older sessions are gone from memory, and without a capture (-w FILE) they are kept nowhere."
        : feed.state === "connecting" || feed.state === "live" ? "It is shown as soon as it comes." : "";
      return;
    }
    this.asked = true;
    this.head.textContent = `Session ${this.wanted} is being read from the capture …`;
    try {
      if (await feed.readBack(this.wanted)) {
        if (!this.closed) this.app.go(true);
        return;
      }
      this.head.textContent = `The capture has no session ${this.wanted}.`;
      this.words.textContent = "Or the filter does not keep it.";
    } catch (error) {
      this.head.textContent = `Session ${this.wanted} cannot be read from the capture.`;
      this.words.textContent = ours(error.message);
    }
  }
}

class App {
  constructor(records) {
    this.records = records;
    this.view = null;
    this.feed = null;        // of a live run
    this.following = true;   // the list grows as sessions come
    this.current = "list";
    this.filter = "";  // of the list, when another view is open
    this.emptyWords = "This report holds no session.";
    this.bar = el("header", { class: "top" });
    this.help = this.makeHelp();
  }

  start() {
    document.body.append(el("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); this.view.element.focus(); } }, "To the content"),
      this.bar, this.help);
    addEventListener("hashchange", () => this.go());
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("beforeprint", () => { if (this.view.rows) this.view.rows.all(); });
    this.go();
  }

  // Of an open session: the time until which it is known to have lasted. Reports have none.
  now(session) { return this.feed && this.feed.state === "live" && !session.end ? this.feed.now() : 0; }

  // What is shown has changed. Whoever has scrolled into the list or types is not disturbed.
  changed(sessions) {
    if (this.view instanceof AbsentView) return;
    if (NAMES.has(this.view.constructor)) {
      if (this.view instanceof CompareView || (this.view instanceof RunView && scrollY < 400)) this.view.refresh();
    } else if (this.view instanceof SessionView) {
      if (sessions.has(this.view.session)) this.view.refresh();
    } else if (this.following && scrollY < 400) {
      this.view.refresh();
    }
  }

  title() {
    const { runs } = this.records;
    if (runs.length === 0) return "";
    if (runs.length > 1) return `${runs.length} files`;
    if (this.feed && runs[0].source === "live") return "";  // the mark beside it says so
    return ours(runs[0].source).split("/").pop();
  }

  drawBar(current = this.current) {
    this.current = current;
    const redacted = this.records.runs.length > 0 && this.records.runs.every((run) => run.redacted);
    this.bar.replaceChildren(el("a", { class: "brand", href: this.listLink() }, "smtpscope"),
      el("nav", { "aria-label": "Views" }, [["list", this.listLink(), "Sessions"], ["compare", "#diff=" + this.toCompare(), "Compare"], ...(this.records.taps ? [["taps", "#taps=1", "Taps"]] : []), ["run", "#run", "Run"]].map(([name, href, words]) =>
        el("a", { href, "aria-current": current === name ? "page" : null }, words))),
      el("span", { class: "sp" }), this.liveMark(), el("span", { class: "src" }, this.title()),
      el("span", { class: "red" + (redacted ? "" : " no") }, redacted ? "redacted: names are pseudonyms" : "not redacted"),
      el("button", { class: "btn", type: "button", onclick: () => this.export() }, "Export"),
      el("button", { class: "btn opt", type: "button", onclick: () => this.help.showModal() }, "Help"),
      el("button", { class: "btn", type: "button", "aria-label": "Dark or light", title: "Dark or light", onclick: () => this.turn() }, "◐"));
  }

  liveMark() {
    if (!this.feed || this.feed.state === "whole") return "";
    const words = { connecting: "connecting", live: "live", lost: "lost touch, trying again",
      full: "no connection: a browser has six to a host, close other tabs of this page" }[this.feed.state];
    return el("span", { class: "live" + (this.feed.state === "lost" ? " lost" : ""), role: "status" }, el("i", {}), words);
  }

  // The session in view and the one before it.
  toCompare() {
    const keys = [...this.records.sessions.keys()];
    const at = this.view instanceof SessionView ? Math.max(1, keys.indexOf(this.view.session.key)) : keys.length - 1;
    return [keys[at - 1], keys[at]].filter(Boolean).join(",");
  }

  export() {
    const all = [...this.records.sessions.values()];
    exportDialog(this, this.view instanceof SessionView ? this.view.session : null, all.filter(this.kept()));
  }

  // What the filter keeps; all where it is not one yet.
  kept() {
    try {
      return filterOf(this.filter);
    } catch {
      return () => true;
    }
  }

  turn() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }

  listLink() { return this.filter ? "#q=" + encodeURIComponent(this.filter) : "#"; }

  // Sessions before and behind, in the order of time.
  neighbours(session) {
    const keys = [...this.records.sessions.keys()];
    const at = keys.indexOf(session.key);
    return [["prev", keys[at - 1]], ["next", keys[at + 1]]].filter(([, key]) => key);
  }

  go(anew = false) {
    const state = stateOf(location.hash);
    const session = state.s && this.records.sessions.get(state.s);
    if (!anew && session && this.view instanceof SessionView && this.view.session === session) {
      this.view.open(state);
      return;
    }
    const other = "diff" in state ? CompareView : "taps" in state ? TapsView : "run" in state ? RunView : null;
    const absent = state.s && !session && this.feed;
    if (!anew && absent && this.view instanceof AbsentView && this.view.wanted === state.s && (this.view.asked || !this.feed.mayReadBack(state.s))) return;
    if (!anew && other && this.view instanceof other) {
      this.view.open(state);
      return;
    }
    if (!anew && !session && !other && !absent && this.view instanceof ListView) {
      this.filter = state.q || "";
      this.view.open(state);
      return;
    }
    const last = this.view instanceof SessionView ? this.view.session.key : null;
    if (this.view) { this.view.close(); this.view.element.remove(); }
    if (other) {
      this.view = new other(this);
      document.title = NAMES.get(other) + " · smtpscope";
    } else if (session) {
      this.view = new SessionView(this, session);
      document.title = `session ${session.key} · smtpscope`;
    } else if (absent) {
      this.view = new AbsentView(this, state.s);
      document.title = `session ${state.s} · smtpscope`;
    } else {
      this.filter = state.q || "";
      this.view = new ListView(this);
      this.view.chosen = last;
      document.title = "smtpscope" + (this.title() ? " · " + this.title() : "");
    }
    this.view.element.tabIndex = -1;
    this.drawBar(other ? NAMES.get(other) : session || absent ? "session" : "list");
    this.bar.after(this.view.element);
    scrollTo(0, 0);
    this.view.open(state);
    if (last && this.view instanceof ListView) this.view.choose(last);
  }

  // Keeps in the fragment what is shown, without a step in the history.
  note(state) {
    if (state.q !== undefined) this.filter = state.q;
    const fragment = new URLSearchParams(Object.entries(state).filter(([, value]) => value !== "" && value !== undefined)).toString();
    history.replaceState(null, "", fragment ? "#" + fragment : location.pathname + location.search);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      else if (event.key === "Enter") { event.target.blur(); this.view.key({ key: "j" }); }
      return;
    }
    if (event.key === "?") { this.help.showModal(); event.preventDefault(); return; }
    if (event.key === "e") { this.export(); event.preventDefault(); return; }
    if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
    if (event.key === "Escape" && !(this.view instanceof ListView)) {
      if (this.view.pane && this.view.pane.classList.contains("up")) this.view.pane.classList.remove("up");
      else location.hash = this.listLink();
      event.preventDefault();
      return;
    }
    if (this.view.key(event)) event.preventDefault();
  }

  makeHelp() {
    const keys = [["/", "filter"], ["j k", "next, previous line"], ["Enter", "open"], ["Esc", "back"], ["[ ]", "previous, next finding"], ["v", "folded findings too; when comparing, only what differs"], ["r", "octets"], ["m", "copy the session as Markdown"], ["e", "export, redacted"], ["?", "this help"]];
    const filters = [["from:carol", "sender, part of it"], ["to:*@partner.example", "a recipient; * and ? stand for anything"], ["client:192.0.2.0/24", "address or network"], ["server:mx", "where it went"], ["route:submission", "the route it came by"],
      ["code:5 code:550 code:5.7.1", "a reply"], ["verb:STARTTLS", "a command"], ["rule:rset", "a finding"], ["reason: cause:", "why, as in the verdict"], ["outcome:refused", "what became of it"],
      ["slower:2s", "took longer"], ["in:14:00..14:05", "began in that time"], ["and or not ( )", "combine; words alone are looked for everywhere"]];
    const table = (rows) => el("dl", {}, rows.map(([term, what]) => [el("dt", { class: "mono" }, term), el("dd", {}, what)]));
    const dialog = el("dialog", { class: "help", "aria-label": "Help" }, el("h1", {}, "Keys"), table(keys), el("h1", {}, "Filter"), table(filters),
      el("p", { class: "mut" }, "Times are local. Lines with C came from the client, S from the server, P from smtpscope itself; ≡ marks what came inside TLS."),
      el("button", { class: "btn", type: "button", onclick: () => dialog.close() }, "Close"));
    return dialog;
  }
}

async function report(packed) {
  const records = read(await unpack(packed.textContent), new Records());
  packed.remove();
  new App(records).start();
}

// Sessions of a server that goes on telling.
function live(url, older) {
  const app = new App(new Records());
  app.emptyWords = "No session yet.";
  app.feed = new Feed(url, older, {
    changed: (sessions) => {
      if (app.view instanceof AbsentView) app.go();
      else app.changed(sessions);
    },
    renewed: () => {
      app.records = app.feed.records;
      if (app.view) app.go(true);
    },
    state: () => app.drawBar(),
  });
  app.records = app.feed.records;
  app.start();
  // What an open session waits for grows longer.
  setInterval(() => {
    if (app.feed.state !== "live") return;
    if (app.view instanceof SessionView ? !app.view.session.end : app.view instanceof ListView && app.following && app.view.shown.some((one) => !one.end && !one.failed)) app.view.tick();
  }, 1000);
}

const packed = document.getElementById("records");
const events = document.body.dataset.events;
if (events) {
  live(events, document.body.dataset.older);
} else if (packed) {
  report(packed).catch((error) => {
    document.body.append(el("main", {}, el("h1", {}, "This report cannot be shown"), el("p", {}, `It may be cut, or this browser too old: ${error.message}`)));
  });
}
