// The header and the parts of a message, read from its octets. Nothing of it is ever rendered, decoded
// as HTML, or loaded.

const MOST_FIELDS = 100, MOST_PARTS = 60, MOST_DEPTH = 8;

function headerOf(text) {
  const end = /\r?\n\r?\n/.exec(text);
  const head = end ? text.slice(0, end.index) : text;
  const fields = [];
  for (const line of head.split(/\r?\n/)) {
    if (/^[ \t]/.test(line) && fields.length) fields[fields.length - 1].value += " " + line.trim();
    else {
      const colon = line.indexOf(":");
      if (colon > 0) fields.push({ name: line.slice(0, colon), value: line.slice(colon + 1).trim() });
    }
    if (fields.length >= MOST_FIELDS) break;
  }
  return { fields, body: end ? text.slice(end.index + end[0].length) : "" };
}

function value(fields, name) {
  const found = fields.find((field) => field.name.toLowerCase() === name);
  return found ? found.value : "";
}

function parameter(text, name) {
  const found = new RegExp(";\\s*" + name + "\\*?0?\\*?=(?:\"([^\"]*)\"|([^;\\s]*))", "i").exec(text);
  return found ? found[1] !== undefined ? found[1] : found[2] : "";
}

// { type, name, octets, encoding, parts }
function part(text, depth, count) {
  const { fields, body } = headerOf(text);
  const type = value(fields, "content-type");
  const one = { type: (type.split(";")[0].trim() || "text/plain").toLowerCase(), octets: body.length,
                name: parameter(type, "name") || parameter(value(fields, "content-disposition"), "filename"),
                encoding: value(fields, "content-transfer-encoding"), fields, parts: [] };
  const boundary = parameter(type, "boundary");
  if (!one.type.startsWith("multipart/") || !boundary || depth >= MOST_DEPTH) return one;
  const pieces = ("\r\n" + body).split(/\r?\n--/).slice(1);
  for (const piece of pieces) {
    if (!piece.startsWith(boundary)) {
      continue;
    }
    if (piece.startsWith("--", boundary.length) || ++count.parts > MOST_PARTS) break;
    one.parts.push(part(piece.slice(boundary.length).replace(/^[ \t]*\r?\n/, ""), depth + 1, count));
  }
  return one;
}

export function messageOf(text) {
  return part(text, 0, { parts: 0 });
}
