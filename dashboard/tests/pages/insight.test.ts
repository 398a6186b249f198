import { expect, test } from "vitest";
import type { Insight } from "../../src/api/queries";
import { spanAround } from "../../src/pages/insight";

const HOUR = 3600;
const DAY = 24 * HOUR;
const told = (status: string) =>
  ({ status, created_at: 100 * DAY + HOUR, updated_at: 100 * DAY + 2 * HOUR, evidence: { start: 100 * DAY, end: 100 * DAY + HOUR } }) as unknown as Insight;

test("what is open is shown until now, however long ago it was told", () => {
  expect(spanAround(told("new"), 102 * DAY)).toEqual({ from: 93 * DAY, to: 102 * DAY });
  expect(spanAround(told("acknowledged"), 102 * DAY).to).toBe(102 * DAY);
});

test("what is over is shown with some time after it, as far as there is any", () => {
  expect(spanAround(told("resolved"), 102 * DAY)).toEqual({ from: 100 * DAY - 8 * HOUR, to: 100 * DAY + 4 * HOUR });
  expect(spanAround(told("resolved"), 100 * DAY + 3 * HOUR).to).toBe(100 * DAY + 3 * HOUR);
});
