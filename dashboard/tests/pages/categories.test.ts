import { expect, test } from "vitest";
import { CATEGORIES, isAbout, withCategory } from "../../src/pages/settings/categories";

test("everything is chosen until something is taken away", () => {
  expect(CATEGORIES.every((each) => isAbout(null, each))).toBe(true);
  expect(withCategory(null, "cost", false)).toEqual(["reliability", "performance", "efficiency"]);
  expect(isAbout(["reliability"], "cost")).toBe(false);
});

test("several stay in their order, all of them are everything", () => {
  expect(withCategory(["cost"], "reliability", true)).toEqual(["reliability", "cost"]);
  expect(withCategory(["reliability", "performance", "efficiency"], "cost", true)).toBeNull();
});

test("without the last one it is everything again", () => {
  expect(withCategory(["cost"], "cost", false)).toBeNull();
});
