// The visitor's models: one choice for all tabs. The component's value is their names as a JSON text.

let chosen = new Set();
let store = () => {};
const listeners = new Set();

// Calls `listener` after every change, by whichever tab.
export const onChoose = (listener) => listeners.add(listener);

export const isChosen = (name) => chosen.has(name);

export const chosenNames = () => [...chosen];

function set(names) {
  chosen = new Set(names);
  for (const listener of listeners) listener();
}

export function choose(name, isOn) {
  set([...chosen].filter((each) => each !== name).concat(isOn ? [name] : []));
  store(JSON.stringify([...chosen]));
}

export default function mount({ props, watch }) {
  const load = () => set(JSON.parse(props.value));
  store = (json) => {
    props.value = json;
  };
  watch("value", load);
  load();
}
