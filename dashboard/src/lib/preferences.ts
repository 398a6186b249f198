// What this browser remembers of its reader: theme and units. Kept locally; other tabs follow.
import { useSyncExternalStore } from "react";

export const THEMES = ["auto", "dark", "light", "night"] as const;
export type Theme = (typeof THEMES)[number];

export interface Preferences {
  readonly theme: Theme;
  readonly temperature: "°C" | "°F";
  readonly volume: "L" | "gal";
  readonly pressure: "bar" | "psi";
  readonly distance: "km" | "mi";
}

export const DEFAULTS: Preferences = { theme: "auto", temperature: "°C", volume: "L", pressure: "bar", distance: "km" };

const CHOICES: { readonly [Key in keyof Preferences]: readonly Preferences[Key][] } = {
  theme: THEMES,
  temperature: ["°C", "°F"],
  volume: ["L", "gal"],
  pressure: ["bar", "psi"],
  distance: ["km", "mi"],
};
const KEY = "coachiq-analytics.preferences";

/** Preferences out of what was stored, whoever stored it: what is not understood is the default. */
export function parsePreferences(text: string | null): Preferences {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? "{}");
  } catch {
    stored = {};
  }
  const given = (typeof stored === "object" && stored !== null ? stored : {}) as Record<string, unknown>;
  const entries = Object.entries(CHOICES).map(([key, choices]) => [
    key,
    (choices as readonly unknown[]).includes(given[key]) ? given[key] : DEFAULTS[key as keyof Preferences],
  ]);
  return Object.fromEntries(entries) as Preferences;
}

let current = parsePreferences(storage()?.getItem(KEY) ?? null);
const listeners = new Set<() => void>();

function storage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined; // forbidden by the browser: preferences last as long as the page
  }
}

function changed(next: Preferences): void {
  current = next;
  applyTheme(next.theme);
  for (const listener of listeners) listener();
}

export function setPreferences(change: Partial<Preferences>): void {
  const next = { ...current, ...change };
  try {
    storage()?.setItem(KEY, JSON.stringify(next));
  } catch {
    // full: it lasts as long as the page
  }
  changed(next);
}

export function getPreferences(): Preferences {
  return current;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, getPreferences);
}

export function applyTheme(theme: Theme): void {
  const light = globalThis.matchMedia?.("(prefers-color-scheme: light)").matches ?? false;
  const shown = theme === "auto" ? (light ? "light" : "dark") : theme;
  document.documentElement.dataset["theme"] = shown;
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--page").trim();
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", colour || "#0e1417");
}

/** Theme now, and whenever the system's or another tab's changes. */
export function watchTheme(): void {
  applyTheme(current.theme);
  globalThis.matchMedia?.("(prefers-color-scheme: light)").addEventListener("change", () => applyTheme(current.theme));
  addEventListener("storage", (event) => {
    if (event.key === KEY) changed(parsePreferences(event.newValue));
  });
}
