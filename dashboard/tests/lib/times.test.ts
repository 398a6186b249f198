import { expect, test } from "vitest";
import { ago, span, ticks } from "../../src/lib/times";

test.each([[4, "4 s"], [119, "2 min"], [3600, "60 min"], [5400, "1.5 h"], [7200, "2 h"], [86_400, "24 h"], [172_800, "2 days"], [-90, "2 min"]])(
  "%d seconds are %s",
  (seconds, text) => expect(span(seconds)).toBe(text),
);

test("ages", () => {
  expect(ago(0)).toBe("just now");
  expect(ago(600)).toBe("10 min ago");
});

test("ticks are round local times, never more than asked for", () => {
  const day = ticks(1_760_000_000, 1_760_086_400, 8);
  expect(day.length).toBeLessThanOrEqual(9);
  expect(day.length).toBeGreaterThan(3);
  expect(day.every((time) => time % (3 * 3600) === 0)).toBe(true);
  expect(ticks(0, 30 * 365 * 86_400, 5).length).toBeLessThan(40);
});
