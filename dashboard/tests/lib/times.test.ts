import { afterEach, expect, test, vi } from "vitest";
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

/** Local day and hour of marks. (Not by axisLabel: formats keep the zone in which they were made.) */
const local = (time: number) => {
  const date = new Date(time * 1000);
  return `${date.getMonth() + 1}/${date.getDate()} ${date.getHours()}`;
};
afterEach(() => vi.unstubAllEnvs());

test.each([
  ["Europe/Berlin", "2026-10-22", ["10/23 0", "10/24 0", "10/25 0", "10/26 0", "10/27 0", "10/28 0", "10/29 0"]],
  ["America/Denver", "2026-10-29", ["10/30 0", "10/31 0", "11/1 0", "11/2 0", "11/3 0", "11/4 0", "11/5 0"]],
  ["America/Denver", "2026-03-05", ["3/6 0", "3/7 0", "3/8 0", "3/9 0", "3/10 0", "3/11 0", "3/12 0"]],
  ["America/Santiago", "2026-09-03", ["9/4 0", "9/5 0", "9/6 1", "9/7 0", "9/8 0", "9/9 0", "9/10 0"]],
])("where clocks change, in %s after %s, every day has its mark, where it begins", (zone, day, wanted) => {
  vi.stubEnv("TZ", zone);
  const start = new Date(`${day}T12:00:00`).getTime() / 1000;
  expect(ticks(start, start + 7 * 86_400, 8).map(local)).toEqual(wanted);
});

test("an hour that is lived twice has its marks twice", () => {
  vi.stubEnv("TZ", "Europe/Berlin");
  const start = Date.UTC(2026, 9, 24, 23) / 1000; // 01:00, two hours before the clocks go back
  expect(ticks(start, start + 4 * 3600, 5).map(local)).toEqual(["10/25 1", "10/25 2", "10/25 2", "10/25 3", "10/25 4"]);
});
