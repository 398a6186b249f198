import { expect, test } from "vitest";
import { linePath } from "../../src/components/spark";

test("a line breaks where a gap lies, and nowhere else", () => {
  const points = [[0, 0], [1, 1], [2, 2]] as const;
  expect(linePath(points, [0, 10, 50], [])).toBe("M0.0 0.0L1.0 1.0L2.0 2.0");
  expect(linePath(points, [0, 10, 50], [[20, 50]])).toBe("M0.0 0.0L1.0 1.0M2.0 2.0");
});
