// Reads the chosen file here, so that it never lands on a disk of the server's.

const MOST = 10_000_001; // bytes, one more than the server takes
const file = element.querySelector("[name=marks]");
const marks = element.querySelector(".kp-marks");
const set = element.querySelector("[name=set]");

function load() {
  const data = props.value ? JSON.parse(props.value) : null;
  marks.hidden = !data;
  file.value = ""; // so that the same file can be chosen again
  if (!data) return;
  marks.querySelector("p").textContent = data.says;
  set.parentNode.hidden = data.sets.length < 2;
  set.replaceChildren(...data.sets.map(([name, title]) => new Option(title, name)));
  set.value = data.chosen;
}

file.addEventListener("change", async () => {
  const [chosen] = file.files;
  if (!chosen) return;
  trigger("chosen", { name: chosen.name, text: await chosen.slice(0, MOST).text() });
  file.value = "";
});
set.addEventListener("change", () => trigger("another", { set: set.value }));
marks.querySelector("button").addEventListener("click", () => {
  trigger("cleared");
  file.focus();
});
watch("value", load);
load();
