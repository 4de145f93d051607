// Answers the page's requests from this browser's own copy. The page itself is kept at once, models
// and runtimes when they are first used. Another version of the page is another cache. VERSION, PAGE
// (the files to keep at once) and POLICY are put before this when the page is written.

const NAME = `kpdemo-${VERSION}`;

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(PAGE)));
});

addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("kpdemo-") && name !== NAME);
  const forget = async () => Promise.all(old(await caches.keys()).map((name) => caches.delete(name)));
  event.waitUntil(forget().then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const isOurs = request.method === "GET" && new URL(request.url).origin === location.origin;
  if (!isOurs) return;
  const isWorker = request.destination === "worker";
  event.respondWith(isWorker ? answer(request).then(withPolicy) : answer(request));
});

async function answer(request) {
  const cache = await caches.open(NAME);
  const address = request.mode === "navigate" ? "./" : request;
  const kept = await cache.match(address, { ignoreSearch: request.mode === "navigate" });
  if (kept) return kept;
  const response = await fetch(request);
  // A cache that is full, or a private window's, does not stop the page.
  if (response.status === 200) cache.put(request, response.clone()).catch(() => {});
  return response;
}

// The page's policy, which is in its head, does not hold for workers: theirs comes with their script.
function withPolicy(response) {
  const headers = new Headers(response.headers);
  headers.set("Content-Security-Policy", POLICY);
  return new Response(response.body, { status: response.status, headers });
}
