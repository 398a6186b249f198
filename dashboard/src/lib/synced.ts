// Theme and units, kept by the service for each user; this browser's copy is there before the answer is.
import { send } from "../api/changes";
import { ApiError, request } from "../api/client";
import type { Schemas } from "../api/client";
import { queryClient } from "../api/queries";
import { getPreferences, parsePreferences, setPreferences } from "./preferences";
import type { Preferences } from "./preferences";

export const PREFERENCES_PATH = "/api/analytics/preferences";
export const PREFERENCES_KEY = ["preferences"] as const;
export type Stored = Schemas["PreferencesResponse"];

/** What a PUT takes of what a GET gave. */
export function requestOf(stored: Stored): Schemas["PreferencesRequest"] {
  const { default_layout, language, notifications, theme, time_zone, units } = stored;
  return { default_layout, language, notifications, theme, time_zone, units } as Schemas["PreferencesRequest"];
}

/** The service's preferences as this page's; what it does not know there is the default. */
export function fromStored(stored: Pick<Stored, "theme" | "units">): Preferences {
  return parsePreferences(JSON.stringify({ theme: stored.theme, ...stored.units }));
}

/** Take what the service keeps, once it keeps something; what has been changed here meanwhile is newer. */
export async function pullPreferences(): Promise<void> {
  const before = getPreferences();
  try {
    const stored = await request<Stored>(PREFERENCES_PATH);
    if (stored.updated_at !== null && getPreferences() === before) setPreferences(fromStored(stored));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // not reachable, or not allowed: this browser's copy holds
  }
}

let last: Promise<void> = Promise.resolve();

/** Change them here at once, and there, one change after the other: each begins with what the one before has left. */
export function changePreferences(change: Partial<Preferences>): Promise<void> {
  setPreferences(change);
  last = last.then(store, store);
  return last;
}

async function store(): Promise<void> {
  const { theme, ...units } = getPreferences();
  try {
    const known = await request<Stored>(PREFERENCES_PATH);
    const now = await send<Stored>("PUT", PREFERENCES_PATH, { ...requestOf(known), theme, units }, known.etag);
    queryClient.setQueryData(PREFERENCES_KEY, now); // for the page that shows the rest of them, and changes it by its ETag
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
