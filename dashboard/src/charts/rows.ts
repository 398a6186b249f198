// A series of the service as the rows that a chart draws. Units change and gaps open; no number is made up here.
import type { ChartSeries } from "../api/queries";

export interface Row {
  readonly t: number;
  readonly v: number | null;
  readonly envelope: readonly [number, number] | null;
  readonly band: readonly [number, number] | null;
}

export interface Tail {
  readonly t: number;
  readonly v: number;
}

const same = (value: number) => value;

/** Rows by time: a bucket is drawn in its middle; in each gap stands a row without a value. */
export function rowsOf(
  series: ChartSeries,
  stepSeconds: number,
  tail: readonly Tail[] = [],
  convert: (value: number) => number = same,
): Row[] {
  const rows: Row[] = [];
  let gap = 0;
  const { times, values, mins, maxs, counts, gaps, expected_low: lows, expected_high: highs } = series;
  for (let at = 0; at < times.length; at += 1) {
    const time = times[at] ?? 0;
    while (gap < gaps.length && (gaps[gap]?.[1] ?? 0) <= time) {
      const [from, to] = gaps[gap] ?? [time, time];
      rows.push({ t: (from + to) / 2, v: null, envelope: null, band: null });
      gap += 1;
    }
    const value = values[at] ?? 0;
    const low = lows?.[at];
    const high = highs?.[at];
    rows.push({
      t: time + stepSeconds / 2,
      v: convert(value),
      envelope: (counts[at] ?? 1) > 1 ? [convert(mins[at] ?? value), convert(maxs[at] ?? value)] : [convert(value), convert(value)],
      band: low === undefined || high === undefined ? null : [convert(low), convert(high)],
    });
  }
  const last = times.length === 0 ? -Infinity : (times.at(-1) ?? 0) + stepSeconds;
  for (const { t, v } of tail) if (t >= last) rows.push({ t, v: convert(v), envelope: null, band: null });
  return rows;
}

/** The range of values to show, with room; limits count when the values come near them. */
export function valueDomain(rows: readonly Row[], limits: readonly (number | null)[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const { v, envelope } of rows) {
    if (v === null) continue;
    low = Math.min(low, envelope?.[0] ?? v);
    high = Math.max(high, envelope?.[1] ?? v);
  }
  if (low > high) return [0, 1];
  const room = high - low || Math.max(1, Math.abs(high) * 0.1);
  for (const limit of limits) {
    if (limit === null) continue;
    if (limit < low && low - limit < room) low = limit;
    if (limit > high && limit - high < room) high = limit;
  }
  const pad = (high - low || room) * 0.08;
  return [low - pad, high + pad];
}

/** Round marks within a range, about `most` of them. */
export function valueTicks([low, high]: readonly [number, number], most: number): number[] {
  const rough = (high - low) / most;
  const finest = Math.max(Math.abs(low), Math.abs(high)) * 1e-11; // below that numbers cannot be told apart
  if (!(rough > finest) || !Number.isFinite(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const found: number[] = [];
  for (let at = Math.ceil(low / step); at * step <= high; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

type Scale = (value: number) => number;

/** The outline of a range over time, as the `d` of an SVG path: along its upper edge and back along the lower one; a
 * row without the range ends a piece. */
export function rangePath(rows: readonly Row[], range: "band" | "envelope", x: Scale, y: Scale): string {
  let path = "";
  let upper = "";
  let lower = "";
  for (const row of rows) {
    const edges = row[range];
    if (edges === null) {
      if (upper !== "") path += `M${upper}L${lower}Z`;
      upper = lower = "";
      continue;
    }
    const at = x(row.t).toFixed(1);
    const low = `${at},${y(edges[0]).toFixed(1)}`;
    const high = `${at},${y(edges[1]).toFixed(1)}`;
    upper = upper === "" ? high : `${upper}L${high}`;
    lower = lower === "" ? low : `${low}L${lower}`;
  }
  return upper === "" ? path : `${path}M${upper}L${lower}Z`;
}
