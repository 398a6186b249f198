// Doing what an insight advises: the client names a recommendation, never a command, and each press has a key of its own.
import { queryOptions } from "@tanstack/react-query";
import type { Deed, Recommendation } from "../lib/deeds";
import { showToast } from "../lib/toast";
import { ApiError, get, request } from "./client";
import type { Schemas } from "./client";
import { queryClient } from "./queries";

const PATH = "/api/analytics/actions";

export const recommendationsQuery = queryOptions({
  queryKey: ["recommendations"],
  queryFn: ({ signal }) => get("/api/analytics/actions/recommendations", {}, signal),
  refetchInterval: 60_000,
});

export const deedsQuery = queryOptions({
  queryKey: ["actions"],
  queryFn: ({ signal }) => get("/api/analytics/actions", {}, signal),
  refetchInterval: 60_000,
});

export const auditQuery = queryOptions({
  queryKey: ["actions", "audit"],
  queryFn: ({ signal }) => get("/api/analytics/actions/audit", {}, signal),
});

/** A key that no other press has. Not `crypto.randomUUID`: on the LAN the page is often no secure context. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Keys of presses that were not answered: pressed again, it is the same press, so that it is done once. */
const unanswered = new Map<string, string>();
const onTheWay = new Set<string>();

/** What the list of actions says of one becomes what was heard last. */
export function heardDeed(deed: Deed): void {
  queryClient.setQueryData(deedsQuery.queryKey, (known) =>
    known === undefined
      ? known
      : { ...known, actions: [deed, ...known.actions.filter((each) => each.action_id !== deed.action_id)].sort((a, b) => b.created_at - a.created_at) },
  );
}

/** Do it. `confirm`: an amber one was held, with its consequence in sight. */
export async function press({ recommendation_id: id }: Recommendation, confirm: boolean): Promise<void> {
  if (onTheWay.has(id)) return;
  onTheWay.add(id);
  const key = unanswered.get(id) ?? newKey();
  unanswered.set(id, key);
  try {
    const body = JSON.stringify({ recommendation_id: id, confirm });
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
    heardDeed(await request<Schemas["ActionResponse"]>(PATH, { method: "POST", headers, body }));
    unanswered.delete(id);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status !== 0) unanswered.delete(id);
    const text = error.status === 0 ? "The service did not answer. Press again: it is done once at most." : `${error.message}.`;
    showToast({ text });
  } finally {
    onTheWay.delete(id);
    void queryClient.invalidateQueries({ queryKey: deedsQuery.queryKey });
  }
}

/** Take it back before it is sent. */
export async function takeBack(deed: Deed): Promise<void> {
  try {
    heardDeed(await request<Schemas["ActionResponse"]>(`${PATH}/${encodeURIComponent(deed.action_id)}/undo`, { method: "POST" }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showToast({ text: `${error.message}.` });
  } finally {
    void queryClient.invalidateQueries({ queryKey: deedsQuery.queryKey });
  }
}
