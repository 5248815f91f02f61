// Sessions over time, and how many of them went wrong; dragging over it chooses a time.

import { el, svg } from "./elements.js";
import { factsOf } from "./facts.js";

const BARS = 88;
const two = (n) => String(n).padStart(2, "0");

function stamp(ms) {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function label(ms, span) {
  const at = new Date(ms);
  const time = two(at.getHours()) + ":" + two(at.getMinutes()) + (span < 600e3 ? ":" + two(at.getSeconds()) : "");
  return span > 86400e3 ? `${at.getDate()}.${at.getMonth() + 1}. ${time}` : time;
}

// Nothing where there is nothing to tell apart.
export function histogram(all, shown, choose) {
  if (all.length < 10) return [];
  const times = all.map((session) => session.at);
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  const step = Math.max(1000, Math.ceil((last - first + 1) / BARS / 1000) * 1000);
  const begin = Math.floor(first / 1000) * 1000;
  if (last - begin < 5 * step) return [];
  const kept = new Set(shown);
  const bars = Array.from({ length: Math.ceil((last + 1 - begin) / step) }, () => ({ all: 0, wrong: 0, kept: 0 }));
  all.forEach((session, i) => {
    const one = bars[Math.floor((times[i] - begin) / step)];
    one.all += 1;
    if (kept.has(session)) one.kept += 1;
    if (["bad", "wrn"].includes(factsOf(session).tone)) one.wrong += 1;
  });
  const most = Math.max(...bars.map((one) => one.all));
  const height = (number) => (number ? Math.max(1.5, (number / most) * 40) : 0);
  const picture = svg("svg", { viewBox: `0 0 ${bars.length * 10} 40`, preserveAspectRatio: "none", role: "img",
    "aria-label": `Sessions over time: ${all.length} in ${bars.length} steps, at most ${most} in one` });
  bars.forEach((one, i) => {
    if (one.all) picture.append(svg("rect", { class: one.kept ? "b" : "b off", x: i * 10 + 1, width: 8, y: 40 - height(one.all), height: height(one.all) }));
    if (one.wrong) picture.append(svg("rect", { class: "r", x: i * 10 + 1, width: 8, y: 40 - height(one.wrong), height: height(one.wrong) }));
  });
  const mark = svg("rect", { class: "brush", x: 0, y: 0, width: 0, height: 40 });
  picture.append(mark);
  const end = begin + bars.length * step;
  let from = null;
  const at = (event) => {
    const box = picture.getBoundingClientRect();
    return Math.max(0, Math.min(bars.length, ((event.clientX - box.left) / box.width) * bars.length));
  };
  picture.addEventListener("pointerdown", (event) => { from = at(event); picture.setPointerCapture(event.pointerId); });
  picture.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = at(event);
    mark.setAttribute("x", Math.min(from, to) * 10);
    mark.setAttribute("width", Math.abs(to - from) * 10);
  });
  picture.addEventListener("pointerup", (event) => {
    const to = at(event), a = Math.floor(Math.min(from, to)), b = Math.ceil(Math.max(from, to));
    from = null;
    choose(b - a >= bars.length || b === a ? "" : stamp(begin + a * step) + ".." + stamp(begin + b * step));
  });
  const ticks = [0, 1, 2, 3, 4].map((i) => el("span", {}, label(begin + ((end - begin) * i) / 4, end - begin)));
  return [el("div", { class: "cap" }, el("span", {}, el("i", {}), "sessions"), el("span", {}, el("i", { class: "r" }), "went wrong"),
    el("span", { class: "hint" }, "drag to choose a time")), picture, el("div", { class: "ax" }, ticks)];
}
