import { expect, test } from "vitest";
import { timeAxis } from "../../src/charts/time-axis";

const HOUR = 3600;

test("a mark whose label would be cut at the right edge is left out", () => {
  const offset = new Date(0).getTimezoneOffset() * 60; // of the clock that the marks are round on
  const span = { start: offset, end: offset + 6 * HOUR };
  expect(timeAxis(span, 600, 24).ticks.at(-1)).toBe(span.end);
  expect(timeAxis(span, 600, 12).ticks.at(-1)).toBe(span.end - HOUR);
});
