// The time axis of every chart over time: round local times, each said in full.
import { axisLabel, ticks } from "../lib/times";
import type { Span } from "./window";

export const AXIS_HEIGHT = 24;
const HALF_LABEL = 24; // px, of the widest

/** What an XAxis of Recharts needs over `width` px, with `right` px beside it. */
export function timeAxis({ start, end }: Span, width: number, right: number) {
  const last = end - (Math.max(0, HALF_LABEL - right) / width) * (end - start); // a mark beyond would be cut
  return {
    dataKey: "t",
    type: "number",
    domain: [start, end],
    ticks: ticks(start, end, Math.max(3, Math.floor(width / 72))).filter((time) => time <= last),
    tickFormatter: (time: number) => axisLabel(time, end - start),
    interval: 0,
    allowDataOverflow: true,
    height: AXIS_HEIGHT,
    tick: { fill: "var(--soft)", fontSize: 12 },
    stroke: "var(--line)",
    tickLine: false,
  } as const;
}
