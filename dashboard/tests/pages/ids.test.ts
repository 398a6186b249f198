import { expect, test } from "vitest";
import { untaken } from "../../src/pages/settings/ids";

test("a name that is taken keeps its words and gets a number", () => {
  expect(untaken("phone", new Set())).toBe("phone");
  expect(untaken("phone", new Set(["phone"]))).toBe("phone2");
  expect(untaken("phone", new Set(["phone", "phone2", "webhook"]))).toBe("phone3");
});
