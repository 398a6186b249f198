// What the pages change, and what becomes old by it. A refusal is told in the service's own words.
import { ApiError, request } from "./client";
import type { Schemas } from "./client";
import { queryClient } from "./queries";
import { showToast } from "../lib/toast";

export type Verb = "acknowledge" | "snooze" | "dismiss" | "not_useful" | "undo";

export async function send<Body>(method: string, path: string, body?: unknown, etag?: string): Promise<Body> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (etag !== undefined) headers["If-Match"] = etag;
  return request<Body>(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** Run a change, and say so when it was refused. True: it is done. */
export async function attempt(change: () => Promise<unknown>, outdates: readonly string[]): Promise<boolean> {
  let done = true;
  try {
    await change();
  } catch (error) {
    showToast({ text: error instanceof Error ? error.message : String(error) });
    done = false;
  }
  await Promise.all(outdates.map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
  return done;
}

/** Run a change of something that has an ETag. `stale`: it was changed elsewhere meanwhile; what is set now is loaded. */
export async function save(change: () => Promise<unknown>, outdates: readonly string[]): Promise<"done" | "stale" | "refused"> {
  let isStale = false;
  const done = await attempt(async () => {
    try {
      await change();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
      isStale = true;
    }
  }, outdates);
  return isStale ? "stale" : done ? "done" : "refused";
}

/** Say something to an insight; what was said can be taken back. */
export async function mark(insightId: string, verb: Verb, body: object = {}): Promise<void> {
  const path = `/api/analytics/insights/${encodeURIComponent(insightId)}`;
  await attempt(async () => {
    const { message } = await send<Schemas["MarkedResponse"]>("POST", `${path}/${verb}`, body);
    showToast({ text: `${message}.`, undo: verb === "undo" ? undefined : () => void mark(insightId, "undo") });
  }, ["insights", "overview"]);
}
