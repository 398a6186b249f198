import { expect, test } from "vitest";
import { back, stepped, stepsOf } from "../../src/pages/trends/steps";

const day = { from: -86_400, to: undefined };
const zoom = { from: 1_000, to: 2_000 };
const further = { from: 1_200, to: 1_400 };

test("each zoom is a step back of its own, and all of them are one", () => {
  const { steps } = stepped(stepped([], day).steps, zoom);
  expect(back(further, steps)).toEqual({ ...zoom, steps: [day] });
  expect(back(zoom, [day])).toEqual({ ...day, steps: [] });
  expect(back(further, steps, true)).toEqual({ ...day, steps: [] });
});

test("without a step there is a way back from a fixed range only", () => {
  expect(back(zoom, [])).toEqual({ ...day, steps: [] });
  expect(back({ from: -900, to: undefined }, [])).toBeUndefined();
  expect(back({ from: 1, to: undefined }, [])).toBeUndefined(); // all
});

test("an entry of another page has none", () => {
  expect(stepsOf(null)).toEqual([]);
  expect(stepsOf({ steps: [day] })).toEqual([day]);
});
