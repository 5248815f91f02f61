// Builds elements. What came off the wire only ever becomes a text node, so that it cannot be markup.

const SVG = "http://www.w3.org/2000/svg";

// Attributes by name; `on…` is a listener, `class` and `text` what they say, null leaves out.
export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

export function add(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) add(element, child);
    else if (child !== null && child !== undefined && child !== false && child !== "") element.append(child);
  }
}

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Each severity has a shape of its own, so that none is told by its colour alone.
const SHAPES = {
  error: [["path", { fill: "currentColor", d: "M3.7 .5h4.6l3.2 3.2v4.6l-3.2 3.2H3.7L.5 8.3V3.7z" }],
          ["path", { class: "cut", d: "M4 4l4 4M8 4L4 8" }]],
  warning: [["path", { fill: "currentColor", d: "M6 .6l5.7 10.6H.3z" }], ["path", { class: "cut", d: "M6 4.2v3.4M6 8.6V10" }]],
  notice: [["path", { class: "line", d: "M6 1.6L10.4 6 6 10.4 1.6 6z" }]],
  info: [["circle", { cx: 6, cy: 6, r: 2, fill: "currentColor" }]],
  ok: [["path", { class: "line", d: "M2 6.4l2.8 2.8L10 3.4" }]],
  no: [["path", { class: "line", d: "M2.5 2.5l7 7M9.5 2.5l-7 7" }]],
  wait: [["circle", { class: "line", cx: 6, cy: 6, r: 4.8 }], ["path", { class: "line", d: "M6 3v3l2 1.6" }]],
  lock: [["path", { fill: "currentColor", d: "M2 5.5h8V11H2z" }], ["path", { class: "line", d: "M3.8 5.5V3.6a2.2 2.2 0 0 1 4.4 0v1.9" }]],
};

// `label` is what a screen reader says; without it the icon stands beside words that say it.
export function icon(name, label) {
  const attributes = { class: "ic " + name, viewBox: "0 0 12 12" };
  if (label) Object.assign(attributes, { role: "img", "aria-label": label });
  else attributes["aria-hidden"] = "true";
  return svg("svg", attributes, ...SHAPES[name].map(([tag, of]) => svg(tag, of)));
}

// The policy of the page forbids style attributes; the CSSOM is not one.
export function styled(element, properties) {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
  return element;
}
