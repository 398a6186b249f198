// Parts of the page that are fetched when they are first drawn, or before that, while nothing else is to be done.
import { lazy } from "react";
import type { ReactNode } from "react";

const fetches: (() => Promise<unknown>)[] = [];
let isMissing = false;

/** As React's `lazy`. */
export function lazyPart<Props extends object>(load: () => Promise<{ default: (props: Props) => ReactNode }>) {
  const fetchIt = () =>
    load().catch((error: unknown) => {
      isMissing = true;
      throw error;
    });
  fetches.push(fetchIt);
  return lazy(fetchIt);
}

/** Whether a part could not be fetched. Browsers keep that for good, as does React: only the page loaded anew asks again. */
export function isPartMissing(): boolean {
  return isMissing;
}

/** Fetch every part, one after the other, so that they are there without the service, too. */
export async function fetchParts(): Promise<void> {
  // A part that has been fetched may bring further ones: they are appended.
  for (const fetchOne of fetches) await fetchOne().catch(() => undefined);
}
