// The points that are looked at, by name: one choice for all components with maps.

const FIRST_POINT = "nose tip";

// `name` and `group` are the visitor's choice, also where a markup lacks them; `scope` is "one",
// "group" or "all".
const selection = { scope: "one", name: FIRST_POINT, group: "" };
const listeners = new Set();

// Calls `listener` after every change, by whichever component.
export const onSelect = (listener) => listeners.add(listener);

export function select(change) {
  Object.assign(selection, change);
  for (const listener of listeners) listener();
}

export const scope = () => selection.scope;

export const groupOf = ({ groups }, k) => Object.keys(groups).find((name) => groups[name].includes(k));

// The chosen point of a markup, counted from 0, or another one where it lacks that.
export function pointIn({ names }) {
  const at = names.indexOf(selection.name);
  return at >= 0 ? at : Math.max(0, names.indexOf(FIRST_POINT));
}

export const groupIn = (markup) =>
  selection.group in markup.groups ? selection.group : groupOf(markup, pointIn(markup));

// The points of a panel that belong to what is chosen in `lead`, the markup of the list; none where
// its own markup lacks them.
export function pointsOf(panel, lead) {
  if (selection.scope === "all") return panel.names.map((_, k) => k);
  if (selection.scope === "group") return panel.groups[groupIn(lead)] ?? [];
  const at = panel.names.indexOf(lead.names[pointIn(lead)]);
  return at < 0 ? [] : [at];
}
