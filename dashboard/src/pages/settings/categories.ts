// What a channel is told about: some categories, or everything (null).
export const CATEGORIES = ["reliability", "performance", "efficiency", "cost"] as const;
export type Category = (typeof CATEGORIES)[number];

export function isAbout(chosen: readonly Category[] | null | undefined, category: Category): boolean {
  return chosen?.includes(category) ?? true;
}

/** A channel that is told nothing is one that is off: when the last one goes, it is told everything again. */
export function withCategory(chosen: readonly Category[] | null | undefined, category: Category, on: boolean): Category[] | null {
  const next = CATEGORIES.filter((each) => (each === category ? on : isAbout(chosen, each)));
  return next.length === 0 || next.length === CATEGORIES.length ? null : next;
}
