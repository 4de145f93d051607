// Keeps the page's files in this browser, so that it works offline after the first visit.

const PATIENCE = 5000; // milliseconds; without a service worker the page works all the same

// A promise that is settled once what is loaded from then on is kept, or cannot be.
export async function keepForOffline() {
  if (!("serviceWorker" in navigator)) return;
  const controlled = new Promise((done) => {
    if (navigator.serviceWorker.controller) done();
    navigator.serviceWorker.addEventListener("controllerchange", done, { once: true });
  });
  const late = new Promise((done) => setTimeout(done, PATIENCE));
  try {
    await navigator.serviceWorker.register("service_worker.js");
    await Promise.race([controlled, late]);
  } catch {
    // Some browsers allow none, in a private window or in a frame.
  }
}
