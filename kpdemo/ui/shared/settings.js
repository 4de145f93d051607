// The tools, and a link to how they are set. The address never holds anything of the photo.

const layers = [...tools.querySelectorAll("[type=checkbox]")];
const copied = take.querySelector("[role=status]");
const invitation = copied.textContent;

function link() {
  const settings = { models: panels.map((panel) => panel.name).join() };
  for (const box of layers) if (box.checked !== box.defaultChecked) settings[box.name] = Number(box.checked);
  const mode = tools.querySelector("[name=mode]:checked").value;
  if (mode === "slide") Object.assign(settings, { mode, a: pair.a.value, b: pair.b.value });
  return Object.entries(settings).map(([name, text]) => `${name}=${encodeURI(text)}`).join("&");
}

// Sets the tools as the address says, and asks for its models.
function restore() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (!wanted.has("models")) return;
  for (const box of layers) box.checked = wanted.has(box.name) ? wanted.get(box.name) === "1" : box.defaultChecked;
  for (const [name, select] of Object.entries(pair)) select.dataset.wanted = wanted.get(name) ?? "";
  listModels();
  const mode = tools.querySelector(`[name=mode][value="${wanted.get("mode") === "slide" ? "slide" : "side"}"]`);
  mode.checked = true;
  for (const box of layers) showLayer(box);
  arrange();
  trigger("settings");
}

const showLayer = (box) => grid.classList.toggle(`kp-no-${box.name}`, !box.checked);

async function copy() {
  history.replaceState(null, "", `#${link()}`);
  try {
    await navigator.clipboard.writeText(location.href);
    copied.textContent = "copied: models, layers and arrangement, never the photo";
  } catch {
    copied.textContent = "now in the address bar: copy it there; the photo is not in it";
  }
  setTimeout(() => { copied.textContent = invitation; }, 6000);
}

element.addEventListener("change", ({ target }) => {
  if (target.matches("select")) target.dataset.wanted = target.value;
  if (layers.includes(target)) {
    showLayer(target);
    if (target.name === "numbers") settle();
  } else if (target === view) {
    fit();
    draw();
  } else if (["mode", "a", "b"].includes(target.name)) {
    arrange();
  }
});
range.addEventListener("input", divide);
element.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  const { zoom: way, download: kind } = button?.dataset ?? {};
  if (way) zoomBy({ in: 1.5, out: 1 / 1.5, fit: 0 }[way]);
  if (kind) trigger("download", { kind, model: input("pts").value, face: Math.max(Number(view.value), 0) });
  if (button && "link" in button.dataset) copy();
});
addEventListener("hashchange", restore);
watch("value", load);
for (const box of layers) showLayer(box);
load();
restore();
