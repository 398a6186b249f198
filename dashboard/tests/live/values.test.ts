import { expect, test, vi } from "vitest";
import { LiveValues } from "../../src/live/values";

function slowValues(): [LiveValues, () => void] {
  const waiting: (() => void)[] = [];
  const values = new LiveValues((run) => void waiting.push(run));
  return [values, () => waiting.splice(0).forEach((run) => run())];
}

const at = (value: number | null, timestamp = 1) => ({ value, timestamp });

test("watchers are told once a picture, and only of what they watch", () => {
  const [values, picture] = slowValues();
  const one = vi.fn();
  const other = vi.fn();
  values.watch("a", one);
  values.watch("b", other);
  values.apply({ a: at(1), c: at(1) });
  values.apply({ a: at(2, 2) });
  expect(one).not.toHaveBeenCalled();
  picture();
  expect(one).toHaveBeenCalledTimes(1);
  expect(other).not.toHaveBeenCalled();
  expect(values.get("a")).toEqual({ value: 2, timestamp: 2 });
  expect(values.newest).toBe(2);
});

test("who has gone is not told any more", () => {
  const [values, picture] = slowValues();
  const watcher = vi.fn();
  values.watch("a", watcher)();
  values.apply({ a: at(1) });
  picture();
  expect(watcher).not.toHaveBeenCalled();
});

test("null is no value, and delays do not pile up", () => {
  const [values, picture] = slowValues();
  values.watch("a", () => undefined);
  values.apply({ a: at(null) });
  expect(values.get("a")).toBeUndefined();
  for (let count = 0; count < 700; count += 1) {
    values.apply({ a: at(count) });
    picture();
    picture();
  }
  expect(values.delays).toHaveLength(600);
});

test("what the service has forgotten is not known any more, and who watches it is told", () => {
  const [values, picture] = slowValues();
  const watcher = vi.fn();
  values.apply({ a: at(1, 9), b: at(1, 7) });
  values.watch("a", watcher);
  values.begin({ b: at(2, 8) });
  picture();
  expect(watcher).toHaveBeenCalledTimes(1);
  expect([values.get("a"), values.get("b"), values.newest]).toEqual([undefined, { value: 2, timestamp: 8 }, 8]);
  values.begin({});
  expect(values.newest).toBe(0);
});

test("followers hear every value", () => {
  const [values] = slowValues();
  const heard: number[] = [];
  const stop = values.follow((_, latest) => void heard.push(latest.value));
  values.apply({ a: at(1) });
  values.apply({ a: at(2) });
  stop();
  values.apply({ a: at(3) });
  expect(heard).toEqual([1, 2]);
});
