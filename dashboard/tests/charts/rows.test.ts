import { expect, test } from "vitest";
import type { ChartSeries } from "../../src/api/queries";
import { rangePath, rowsOf, valueDomain, valueTicks } from "../../src/charts/rows";

const series = (members: Partial<ChartSeries> = {}): ChartSeries => ({
  metric: "a", title: "A", unit: null, kind: "gauge", times: [0, 60, 240], values: [1, 2, 3], mins: [0, 2, 3], maxs: [2, 2, 3],
  counts: [5, 1, 1], scores: [0, 0, 0], expected_low: null, expected_high: null, gaps: [], anomalies: [], notes: [], low: null, high: null,
  ...members,
}); // prettier-ignore

test("a bucket is drawn in its middle, with its envelope", () => {
  expect(rowsOf(series(), 60)).toEqual([
    { t: 30, v: 1, envelope: [0, 2], band: null },
    { t: 90, v: 2, envelope: [2, 2], band: null },
    { t: 270, v: 3, envelope: [3, 3], band: null },
  ]);
});

test("a gap breaks the line where it is, and only there", () => {
  const rows = rowsOf(series({ gaps: [[120, 240]] }), 60);
  expect(rows.map((row) => row.v)).toEqual([1, 2, null, 3]);
  expect(rows[2]?.t).toBe(180);
});

test("live values go on where the answer ends", () => {
  const rows = rowsOf(series(), 60, [{ t: 250, v: 9 }, { t: 301, v: 8 }]);
  expect(rows.at(-1)).toEqual({ t: 301, v: 8, envelope: null, band: null });
  expect(rows).toHaveLength(4);
});

test("units change the line, its envelope and its band alike", () => {
  const [row] = rowsOf(series({ expected_low: [-1, 0, 0], expected_high: [3, 4, 5] }), 60, [], (value) => value * 10);
  expect(row).toEqual({ t: 30, v: 10, envelope: [0, 20], band: [-10, 30] });
});

test("limits are in sight when the values come near them", () => {
  const rows = rowsOf(series(), 60);
  expect(valueDomain(rows, [null, 4])[1]).toBeGreaterThan(4);
  expect(valueDomain(rows, [null, 400])[1]).toBeLessThan(5);
  expect(valueDomain([], [1])).toEqual([0, 1]);
  const [low, high] = valueDomain(rowsOf(series({ values: [5, 5, 5], mins: [5, 5, 5], maxs: [5, 5, 5] }), 60), []);
  expect(low).toBeLessThan(5);
  expect(high).toBeGreaterThan(5);
});

test("a range is outlined piece by piece, there along its upper edge and back along the lower", () => {
  const rows = rowsOf(series({ gaps: [[120, 240]], expected_low: [0, 1, 2], expected_high: [2, 3, 4] }), 60);
  const [x, y] = [(time: number) => time / 10, (value: number) => 10 - value];
  expect(rangePath(rows, "band", x, y)).toBe("M3.0,8.0L9.0,7.0L9.0,9.0L3.0,10.0ZM27.0,6.0L27.0,8.0Z");
  expect(rangePath(rows, "envelope", x, y)).toBe("M3.0,8.0L9.0,8.0L9.0,8.0L3.0,10.0ZM27.0,7.0L27.0,7.0Z");
  expect(rangePath(rowsOf(series(), 60), "band", x, y)).toBe("");
  expect(rangePath([], "envelope", x, y)).toBe("");
});

test("marks of an axis are round", () => {
  expect(valueTicks([0, 100], 4)).toEqual([0, 25, 50, 75, 100]);
  expect(valueTicks([12.9, 13.45], 4)).toEqual([13, 13.2, 13.4]);
  expect(valueTicks([5, 5], 4)).toEqual([]);
  expect(valueTicks([Number.NEGATIVE_INFINITY, 1], 4)).toEqual([]);
});
