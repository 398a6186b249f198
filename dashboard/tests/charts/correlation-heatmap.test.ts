import { expect, test } from "vitest";
import type { Correlations } from "../../src/api/queries";
import { cellColour, gridOf } from "../../src/charts/correlation-heatmap";

const cell = (a: number, b: number) => ({ a, b, coefficient: 0.8, lag_seconds: 0, p_value: 0, samples: 9, text: "" });

test("metrics without a partner take no row; the order is the service's", () => {
  const data = { metrics: ["a", "b", "c", "d"].map((metric) => ({ metric, title: metric })), cells: [cell(0, 3), cell(1, 3)] } as Correlations;
  const { places, cells } = gridOf(data, 10);
  expect(places).toEqual([0, 1, 3]);
  expect(cells.get("1:3")).toBe(data.cells[1]);
  expect(gridOf(data, 2).places).toEqual([0, 1]);
});

test("colour tells the sign and the strength", () => {
  expect(cellColour(-0.5)).toContain("--cold) 50%");
  expect(cellColour(1)).toContain("--warm) 100%");
});
