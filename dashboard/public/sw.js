// Keeps the page and the last known data, so that it opens without the service and says how old the data is.
// Network first for everything but files with a hash in their name: what is shown is never older than it must be.
const CACHE = "coachiq-analytics-1";
const KEPT_DATA = ["/api/analytics/overview", "/api/analytics/insights", "/api/analytics/alerts", "/api/analytics/status"];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(["/"]))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// What is opened by its address may be an answer of the API, too: that is shown, and does not take the page's place.
const isPage = (response) => response.headers.get("Content-Type")?.startsWith("text/html") ?? false;

async function networkFirst(request, key, isKept = () => true) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok && isKept(response)) await cache.put(key, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(key);
    if (kept === undefined) throw error;
    const headers = new Headers(kept.headers);
    headers.set("X-From-Cache", "1");
    return new Response(await kept.blob(), { status: kept.status, headers });
  }
}

async function cacheFirst(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.ok) {
    await cache.put(request, response.clone());
    await forgetOldAssets(cache);
  }
  return response;
}

const MOST_ASSETS = 60;
async function forgetOldAssets(cache) {
  const assets = (await cache.keys()).filter((each) => new URL(each.url).pathname.startsWith("/assets/"));
  await Promise.all(assets.slice(0, Math.max(0, assets.length - MOST_ASSETS)).map((each) => cache.delete(each)));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(cacheFirst(request));
  else if (request.mode === "navigate" && !url.pathname.startsWith("/docs")) event.respondWith(networkFirst(request, "/", isPage));
  else if (KEPT_DATA.includes(url.pathname) && !request.headers.has("Authorization"))
    event.respondWith(networkFirst(request, url.pathname + url.search));
});
