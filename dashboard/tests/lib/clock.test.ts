import { beforeEach, expect, test, vi } from "vitest";

beforeEach(() => void vi.resetModules());

test("ages are told by the service's clock, however wrong the browser's is", async () => {
  const { heardServerTime, serverNow, browserClockError } = await import("../../src/lib/clock");
  expect(browserClockError()).toBeUndefined();
  heardServerTime(2_000_000, 1000);
  expect(serverNow(1010)).toBe(2_000_010);
  expect(browserClockError()).toBe(-1_999_000);
});

test("one late frame moves it little, a jump is believed", async () => {
  const { heardServerTime, serverNow } = await import("../../src/lib/clock");
  heardServerTime(1000, 1000);
  heardServerTime(1000, 1001); // arrived a second late
  expect(serverNow(0)).toBeCloseTo(-0.2);
  heardServerTime(5000, 1000);
  expect(serverNow(0)).toBe(4000);
  heardServerTime(Number.NaN);
  expect(serverNow(0)).toBe(4000);
});
