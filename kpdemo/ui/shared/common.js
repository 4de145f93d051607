// What the scripts of several components need.

export const SVG = "http://www.w3.org/2000/svg";

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, text] of Object.entries(attributes)) node.setAttribute(name, text);
  node.append(...children);
  return node;
}

// Offers a request to the engine in this browser; returns whether it is left to the server.
export const offer = (event, detail) => document.dispatchEvent(new CustomEvent(event, { detail, cancelable: true }));

export const round2 = (number) => Math.round(number * 100) / 100;
export const isKnown = (place) => place && place[0] !== null && place[1] !== null;
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
export const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
export const formatDuration = (milliseconds) =>
  `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
export const decodeBase64 = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

// The address is revoked when the next file is saved: how long a browser reads it is not known.
let lastSaved = "";
export function saveFile(name, blob) {
  URL.revokeObjectURL(lastSaved);
  lastSaved = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = lastSaved;
  link.download = name;
  link.click();
}

// Rows by a key, which is a number or a text; those without one come last, up or down.
export function sortBy(rows, keyOf, ascending) {
  return [...rows].sort((one, two) => {
    const [a, b] = [keyOf(one), keyOf(two)];
    if (a === null || b === null) return (a === null) - (b === null);
    return (ascending ? 1 : -1) * (typeof a === "number" ? a - b : a.localeCompare(b));
  });
}
