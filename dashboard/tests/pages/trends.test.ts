import { expect, test } from "vitest";
import { lastNight } from "../../src/pages/trends";

const at = (hour: number) => new Date(2026, 5, 10, hour, 30).getTime() / 1000;
const hours = (span: { start: number; end: number }) => [new Date(span.start * 1000).getDate(), new Date(span.start * 1000).getHours(), new Date(span.end * 1000).getHours()];

test("in the morning last night is the one that ended, or goes on", () => {
  expect(hours(lastNight(at(12)))).toEqual([9, 20, 8]);
  expect(hours(lastNight(at(5)))).toEqual([9, 20, 5]);
});

test("late in the evening it is the one that has begun", () => {
  expect(hours(lastNight(at(22)))).toEqual([10, 20, 22]);
});
