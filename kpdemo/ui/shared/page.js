// What belongs to no tab alone: the tabs' addresses and keys, the skip links, and what Gradio's
// parts leave out.

import { follow } from "./addresses.js";

// The arrow keys go from tab to tab, and only the selected one is a tab stop.
function useArrows(tablist) {
  const mark = () => {
    for (const tab of tablist.querySelectorAll('[role="tab"]')) {
      tab.tabIndex = tab.getAttribute("aria-selected") === "true" ? 0 : -1;
    }
    const selected = tablist.querySelector('[aria-selected="true"]');
    if (selected && tablist.scrollWidth > tablist.clientWidth) {
      const middle = selected.offsetLeft + selected.offsetWidth / 2;
      tablist.scrollTo({ left: middle - tablist.clientWidth / 2 });
    }
  };
  mark();
  new MutationObserver(mark).observe(tablist, { attributeFilter: ["aria-selected"], subtree: true });
  tablist.addEventListener("keydown", (event) => {
    const tabs = [...tablist.querySelectorAll('[role="tab"]')];
    const at = tabs.indexOf(event.target);
    const last = tabs.length - 1;
    const next = { ArrowLeft: at ? at - 1 : last, ArrowRight: at < last ? at + 1 : 0, Home: 0, End: last };
    if (at < 0 || !(event.key in next)) return;
    event.preventDefault();
    const tab = tabs[next[event.key]];
    tab.focus();
    tab.click();
  });
}

// What Gradio leaves out, also for parts that come later: whether an accordion is open, and what the
// label of an empty chart belongs to.
function completeRoles(page) {
  const say = (head) => head.setAttribute("aria-expanded", head.classList.contains("open"));
  const opened = new MutationObserver((changes) => {
    for (const { target } of changes) say(target);
  });
  const find = () => {
    for (const head of page.querySelectorAll("button.label-wrap:not([aria-expanded])")) {
      say(head);
      opened.observe(head, { attributeFilter: ["class"] });
    }
    for (const empty of page.querySelectorAll(".empty[aria-label]:not([role])")) {
      empty.setAttribute("role", "img");
    }
  };
  find();
  new MutationObserver(find).observe(page, { childList: true, subtree: true });
}

// A skip link moves the focus to what its `data-target` names, or else to the selected tab's panel.
function skip(event) {
  const link = event.target.closest(".kp-skip");
  if (!link) return;
  event.preventDefault();
  const panels = [...document.querySelectorAll('[role="tabpanel"]')];
  const target = document.querySelector(link.dataset.target) ?? panels.find((panel) => panel.offsetParent);
  if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
  target.focus();
  target.scrollIntoView({ block: "start" });
}

const pageOf = (element) => element.closest(".gradio-container");

function whenThere(page, selector) {
  return new Promise((resolve) => {
    const look = () => {
      const node = page.querySelector(selector);
      if (!node) return false;
      resolve(node);
      return true;
    };
    if (look()) return;
    const observer = new MutationObserver(() => look() && observer.disconnect());
    observer.observe(page, { childList: true, subtree: true });
  });
}

export default async function mount({ element }) {
  const page = pageOf(element);
  page.addEventListener("click", skip);
  completeRoles(page);
  const tablist = await whenThere(page, '[role="tablist"]');
  useArrows(tablist);
  follow(tablist);
}
