import { beforeEach, expect, test, vi } from "vitest";
import { queryClient } from "../../src/api/queries";
import { DEFAULTS, getPreferences, setPreferences } from "../../src/lib/preferences";
import { changePreferences, PREFERENCES_KEY, pullPreferences } from "../../src/lib/synced";

let kept: Record<string, unknown>;
let version: number;

/** The service: what is changed by an ETag that is not the newest is refused. */
function answerTo(method: string, etag: string | null, body: string): Response {
  if (method === "PUT") {
    if (etag !== `"${version}"`) return Response.json({ detail: "It was changed meanwhile" }, { status: 412 });
    version += 1;
    kept = { ...kept, ...(JSON.parse(body) as object), updated_at: 1 };
  }
  return Response.json({ ...kept, etag: `"${version}"` });
}

beforeEach(() => {
  kept = { theme: "auto", units: {}, notifications: {}, updated_at: null };
  version = 1;
  setPreferences(DEFAULTS);
  queryClient.clear();
  vi.stubGlobal("fetch", async (_: string, { method = "GET", headers, body }: RequestInit) => {
    await Promise.resolve();
    return answerTo(method, (headers as Headers).get("If-Match"), String(body));
  });
});

test("changes that come faster than the service answers are all kept", async () => {
  await Promise.all([changePreferences({ theme: "night" }), changePreferences({ theme: "light" }), changePreferences({ temperature: "°F" })]);
  expect(kept).toMatchObject({ theme: "light", units: { temperature: "°F" } });
});

test("a page that changes the rest of them knows the newest ETag", async () => {
  await changePreferences({ theme: "night" });
  expect(queryClient.getQueryData(PREFERENCES_KEY)).toMatchObject({ etag: '"2"', theme: "night" });
});

test("an answer that was asked for before a change does not undo it", async () => {
  kept = { ...kept, theme: "dark", updated_at: 1 };
  const pulled = pullPreferences();
  const changed = changePreferences({ theme: "night" });
  await Promise.all([pulled, changed]);
  expect(getPreferences().theme).toBe("night");
  await pullPreferences();
  expect(getPreferences().theme).toBe("night");
});
