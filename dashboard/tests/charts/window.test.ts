import { expect, test } from "vitest";
import { bounded, LONGEST, nearest, panned, pinched, SHORTEST, zoomed } from "../../src/charts/window";

const NOW = 1_000_000_000;

test("zooming keeps the time under the hand where it is", () => {
  const span = { start: NOW - 1000, end: NOW - 500 };
  const next = zoomed(span, 0.5, NOW - 800, NOW);
  expect(next).toEqual({ start: NOW - 900, end: NOW - 650 });
  expect((NOW - 800 - next.start) / (next.end - next.start)).toBeCloseTo(0.4);
});

test("nothing shows the future, too little or too much", () => {
  expect(bounded({ start: NOW - 10, end: NOW + 990 }, NOW)).toEqual({ start: NOW - 1000, end: NOW });
  const tiny = bounded({ start: NOW - 500, end: NOW - 499 }, NOW);
  expect(tiny.end - tiny.start).toBe(SHORTEST);
  const huge = bounded({ start: 0, end: NOW }, NOW);
  expect(huge.end - huge.start).toBe(LONGEST);
});

test("panning moves by a share of what is seen", () => {
  expect(panned({ start: NOW - 1000, end: NOW - 900 }, -0.5, NOW)).toEqual({ start: NOW - 1050, end: NOW - 950 });
  expect(panned({ start: NOW - 100, end: NOW }, 0.5, NOW)).toEqual({ start: NOW - 100, end: NOW });
});

test("two fingers hold the times they touched", () => {
  // Touched at a quarter and three quarters, spread to the edges: half of the span is left.
  expect(pinched(0, 1, NOW - 750, NOW - 250, NOW)).toEqual({ start: NOW - 750, end: NOW - 250 });
  expect(pinched(0.5, 0.51, NOW - 750, NOW - 250, NOW)).toBeUndefined();
  expect(pinched(0.8, 0.2, NOW - 750, NOW - 250, NOW)).toBeUndefined(); // fingers crossed
});

test("the nearest point", () => {
  expect(nearest([], 5)).toBe(-1);
  expect(nearest([10], 99)).toBe(0);
  expect(nearest([0, 10, 20], 14)).toBe(1);
  expect(nearest([0, 10, 20], 16)).toBe(2);
  expect(nearest([0, 10, 20], -5)).toBe(0);
  expect(nearest([0, 10, 20], 500)).toBe(2);
});
