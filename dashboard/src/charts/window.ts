// The visible span of a chart, and the arithmetic of moving it. All in unix seconds.

export interface Span {
  readonly start: number;
  readonly end: number;
}

export const SHORTEST = 30;
export const LONGEST = 400 * 86_400;

/** A span of a bearable length that does not reach beyond `now`, as near to the wanted one as that allows. */
export function bounded({ start, end }: Span, now: number): Span {
  const length = Math.min(LONGEST, Math.max(SHORTEST, end - start));
  const middle = (start + end) / 2;
  const last = Math.min(now, middle + length / 2);
  return { start: last - length, end: last };
}

/** `span` made `factor` times as long, with the time `at` staying where it is. */
export function zoomed(span: Span, factor: number, at: number, now: number): Span {
  return bounded({ start: at - (at - span.start) * factor, end: at + (span.end - at) * factor }, now);
}

/** `span` moved by a share of its length. */
export function panned(span: Span, share: number, now: number): Span {
  const by = (span.end - span.start) * share;
  return bounded({ start: span.start + by, end: span.end + by }, now);
}

/** The span in which two fingers, now at shares `left` and `right` of the width, hold the times they first touched. */
export function pinched(left: number, right: number, leftTime: number, rightTime: number, now: number): Span | undefined {
  if (Math.abs(right - left) < 0.02) return undefined;
  const length = (rightTime - leftTime) / (right - left);
  if (!(length > 0)) return undefined;
  const start = leftTime - left * length;
  return bounded({ start, end: start + length }, now);
}

/** Index of the time in rising `times` that is nearest to `at`; -1 when there is none. */
export function nearest(times: readonly number[], at: number): number {
  if (times.length === 0) return -1;
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  if (before >= 0 && at - (times[before] ?? 0) <= (times[low] ?? 0) - at) return before;
  return low;
}
