// The address names the open tab (#leaderboard), and going back opens the one before. What else the
// address may say (#models=…) belongs to the first tab.

const tabsOf = (tablist) => [...tablist.querySelectorAll("[data-tab-id]")];
const selectedOf = (tablist) => tabsOf(tablist).find((tab) => tab.getAttribute("aria-selected") === "true");

function namedBy(address, tabs) {
  const name = address.slice(1).split("&")[0];
  return tabs.find((tab) => tab.dataset.tabId === name) ?? tabs[0];
}

export function follow(tablist) {
  const title = document.title;

  const open = () => {
    const tab = namedBy(location.hash, tabsOf(tablist));
    if (tab !== selectedOf(tablist)) tab.click();
  };
  const write = () => {
    const tabs = tabsOf(tablist);
    const tab = selectedOf(tablist);
    if (!tab) return;
    document.title = tab === tabs[0] ? title : `${tab.textContent.trim()} – ${title}`;
    if (namedBy(location.hash, tabs) !== tab) history.pushState(null, "", `#${tab.dataset.tabId}`);
  };

  open();
  // Whatever opens a tab: a click, a key, a link of another tab.
  new MutationObserver(write).observe(tablist, { attributeFilter: ["aria-selected"], subtree: true });
  addEventListener("popstate", open);
}
