// Theme and units, kept by the service for each user; this browser's copy is there before the answer is.
import { send } from "../api/changes";
import { ApiError, request } from "../api/client";
import type { Schemas } from "../api/client";
import { getPreferences, parsePreferences, setPreferences } from "./preferences";
import type { Preferences } from "./preferences";

export const PREFERENCES_PATH = "/api/analytics/preferences";
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

/** Take what the service keeps, once it keeps something. */
export async function pullPreferences(): Promise<void> {
  try {
    const stored = await request<Stored>(PREFERENCES_PATH);
    if (stored.updated_at !== null) setPreferences(fromStored(stored));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // not reachable, or not allowed: this browser's copy holds
  }
}

/** Change them here and there. */
export async function changePreferences(change: Partial<Preferences>): Promise<void> {
  setPreferences(change);
  const { theme, ...units } = getPreferences();
  try {
    const stored = await request<Stored>(PREFERENCES_PATH);
    await send("PUT", PREFERENCES_PATH, { ...requestOf(stored), theme, units }, stored.etag);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
