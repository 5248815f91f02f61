// Draws the rows of a long table in pieces: what is in sight, and more when one of its ends comes
// near. What was drawn stays, so that the browser's own find knows it.

import { el } from "./elements.js";

const PIECE = 80;

export class Rows {
  // `draw` makes the row of an item.
  constructor(body, columns, draw) {
    this.body = body;
    this.draw = draw;
    this.items = [];
    this.begin = this.end = 0;
    this.before = this.sentinel(columns, "more above", () => this.up());
    this.after = this.sentinel(columns, "more below", () => this.down());
    this.watch = new IntersectionObserver((seen) => {
      for (const one of seen) if (one.isIntersecting) (one.target === this.before ? this.up() : this.down());
    }, { rootMargin: "800px" });
    this.watch.observe(this.before);
    this.watch.observe(this.after);
  }

  sentinel(columns, words, more) {
    return el("tr", { class: "more", role: "row" }, el("td", { colspan: columns, role: "cell" },
      el("button", { class: "btn", type: "button", onclick: more }, words)));
  }

  close() { this.watch.disconnect(); }

  show(items, around = 0) {
    this.items = items;
    this.begin = Math.max(0, Math.min(around - PIECE / 2, items.length - PIECE));
    this.begin = Math.floor(this.begin);
    this.end = Math.min(items.length, this.begin + PIECE);
    this.body.replaceChildren(this.before, ...items.slice(this.begin, this.end).map(this.draw), this.after);
    this.ends();
  }

  // Whether the item is drawn; draws it if not.
  reveal(index) {
    if (index >= this.begin && index < this.end) return;
    this.show(this.items, index);
  }

  // Everything, to be printed.
  all() {
    while (this.end < this.items.length) this.down(5000);
    while (this.begin > 0) this.up(5000);
  }

  down(piece = PIECE) {
    const end = Math.min(this.items.length, this.end + piece);
    this.after.before(...this.items.slice(this.end, end).map(this.draw));
    this.end = end;
    this.ends();
  }

  up(piece = PIECE) {
    const begin = Math.max(0, this.begin - piece);
    this.before.after(...this.items.slice(begin, this.begin).map(this.draw));
    this.begin = begin;
    this.ends();
  }

  ends() {
    this.before.hidden = this.begin === 0;
    this.after.hidden = this.end === this.items.length;
    // An observer tells of a change only: what is still in sight is to be told again.
    for (const one of [this.before, this.after]) { this.watch.unobserve(one); this.watch.observe(one); }
  }
}
