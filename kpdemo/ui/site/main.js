// The page without a server: its tabs, and the engine that all of them share.

import leaderboard from "../leaderboard/leaderboard.js";
import { LocalEngine } from "../shared/local_engine.js";
import page from "../shared/page.js";
import { mountCamera } from "./camera.js";
import { mountCompare } from "./compare.js";
import { mountComponent } from "./component.js";
import { keepForOffline } from "./offline.js";

const root = document.querySelector(".gradio-container");
const tabs = [...document.querySelectorAll('[role="tab"]')];

function select(tab) {
  for (const each of tabs) {
    each.setAttribute("aria-selected", each === tab);
    document.getElementById(each.getAttribute("aria-controls")).hidden = each !== tab;
  }
}
for (const tab of tabs) tab.addEventListener("click", () => select(tab));

// The theme follows the system's, as on the page with a server.
const dark = matchMedia("(prefers-color-scheme: dark)");
const applyTheme = () => document.body.classList.toggle("dark", dark.matches);
dark.addEventListener("change", applyTheme);
applyTheme();

page({ element: root.querySelector(".kp-header") });
mountComponent(document.querySelector("#leaderboard"), leaderboard);

const catalogue = await (await fetch("catalogue.json")).json();
const offline = keepForOffline();
const local = new LocalEngine("assets/");
mountCompare({ catalogue, local, offline });
mountCamera({ catalogue, local, offline });
document.documentElement.setAttribute("data-ready", "");
