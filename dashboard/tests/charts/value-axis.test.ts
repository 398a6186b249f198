import { expect, test } from "vitest";
import { markText, valueAxis } from "../../src/charts/value-axis";

const texts = (marks: readonly number[]) => marks.map(markText(marks));

test("marks have the digits that tell them apart, all the same", () => {
  expect(texts([152_350, 152_400, 152_450])).toEqual(["152,350", "152,400", "152,450"]);
  expect(texts([0, 2.5, 5])).toEqual(["0", "2.5", "5.0"]);
  expect(texts([-5, 0, 5])).toEqual(["−5", "0", "5"]);
  expect(texts([13.35, 13.4])).toEqual(["13.35", "13.40"]);
});

test("what has no room is said shorter, and still told apart", () => {
  expect(texts([1_200_000, 1_210_000])).toEqual(["1.20M", "1.21M"]);
  expect(texts([1.2e15, 1.205e15])).toEqual(["1.200P", "1.205P"]);
  expect(texts([-1.205e15, -1.2e15])).toEqual(["−1.205P", "−1.200P"]);
  expect(texts([1e-7, 1.5e-7])).toEqual(["1.0e−7", "1.5e−7"]);
  expect(texts([1_234_567_890, 1_234_567_892])).toEqual(["…567,890", "…567,892"]);
  expect(texts([-12_346.5, -12_346])).toEqual(["−…346.5", "−…346.0"]);
});

test.each([
  [152_340, 152_574], [-1.2e15, 1.2e15], [-1e-9, 3e-9], [4e27, 4.1e27], [999_999, 1_000_001], [-40.2, -39.9], [0, 1], [1e15, 1e15 + 1], [7, 7], [1.199978e15, 1.199979e15], [-1.199979e15, -1.199978e15],
] as const)("the marks from %d to %d differ and have room", (low, high) => {
  const { ticks, tickFormatter } = valueAxis([low, high], 288);
  const said = ticks.map(tickFormatter);
  expect(new Set(said).size).toBe(ticks.length);
  expect(Math.max(0, ...said.map((text) => text.length))).toBeLessThanOrEqual(8);
  expect(said.join("")).not.toContain("-");
}); // prettier-ignore
