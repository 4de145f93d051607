// What the scripts of several components need: it stands before each of them, in one function.

const SVG = "http://www.w3.org/2000/svg";
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, text] of Object.entries(attributes)) node.setAttribute(name, text);
  node.append(...children);
  return node;
};
const fixed = (number) => Math.round(number * 100) / 100;
const known = (place) => place && place[0] !== null && place[1] !== null;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const count = (many, one) => `${many} ${one}${many === 1 ? "" : "s"}`;
const brief = (milliseconds) => `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

// Rows by a key, which is a number or a text; those without one come last, up or down.
const sortedBy = (rows, keyOf, up) => [...rows].sort((one, two) => {
  const [a, b] = [keyOf(one), keyOf(two)];
  if (a === null || b === null) return (a === null) - (b === null);
  return (up ? 1 : -1) * (typeof a === "number" ? a - b : a.localeCompare(b));
});
