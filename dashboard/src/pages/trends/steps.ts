// The ranges that zooming has left behind. They lie with the entry of the browser's history, so that its own Back and
// Forward bring those that belong to what they show.
import { ALL, DEFAULT_VIEW } from "../../lib/links";
import type { TrendsView } from "../../lib/links";

export type Range = Pick<TrendsView, "from" | "to">;

export interface Steps {
  readonly steps: readonly Range[]; // the first left behind first
}

const MOST = 100;

/** Out of what lies with an entry, which other pages leave empty. */
export function stepsOf(state: unknown): readonly Range[] {
  return (state as Steps | null)?.steps ?? [];
}

export function stepped(steps: readonly Range[], { from, to }: Range): Steps {
  return { steps: [...steps, { from, to }].slice(-MOST) };
}

/** One step back, or all of them. Who came by a link to a fixed range goes to the usual one; undefined: there is no way back. */
export function back({ from, to }: Range, steps: readonly Range[], all = false): (Range & Steps) | undefined {
  const step = all ? steps[0] : steps.at(-1);
  if (step !== undefined) return { ...step, steps: all ? [] : steps.slice(0, -1) };
  if (to === undefined && from <= ALL) return undefined;
  return { from: DEFAULT_VIEW.from, to: undefined, steps: [] };
}
