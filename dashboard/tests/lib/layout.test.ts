import { expect, test } from "vitest";
import { added, DEFAULT_LAYOUT, fromWidgets, missing, moved, removed, resized, toWidgets } from "../../src/lib/layout";
import type { Layout } from "../../src/lib/layout";

const ids = (layout: Layout | undefined) => layout?.map((card) => card.id).join(" ");

test("cards move, and stop at the ends", () => {
  expect(ids(moved(DEFAULT_LAYOUT, "tanks", -1))).toBe("battery tanks power climate vehicle system other");
  expect(moved(DEFAULT_LAYOUT, "battery", -1)).toBe(DEFAULT_LAYOUT);
  expect(ids(moved(DEFAULT_LAYOUT, "battery", 99))).toBe("power tanks climate vehicle system other battery");
  expect(moved(DEFAULT_LAYOUT, "nobody", 1)).toBe(DEFAULT_LAYOUT);
});

test("a card passes those that do not show along with the one in sight before them", () => {
  const isInSight = ({ id }: { id: string }) => ["battery", "tanks", "other"].includes(id);
  expect(ids(moved(DEFAULT_LAYOUT, "battery", 1, isInSight))).toBe("power tanks battery climate vehicle system other");
  expect(ids(moved(DEFAULT_LAYOUT, "tanks", -1, isInSight))).toBe("tanks battery power climate vehicle system other");
  expect(moved(DEFAULT_LAYOUT, "other", 1, isInSight)).toBe(DEFAULT_LAYOUT);
});

test("sizes have a smallest and a largest", () => {
  const size = (layout: Layout) => layout[0]?.size;
  expect(size(resized(DEFAULT_LAYOUT, "battery", 1))).toBe(6);
  expect(size(resized(DEFAULT_LAYOUT, "battery", 9))).toBe(12);
  expect(resized(DEFAULT_LAYOUT, "battery", -1)).toBe(DEFAULT_LAYOUT);
});

test.each(DEFAULT_LAYOUT.map(({ id }) => id))("%s can come back", (id) => {
  expect(missing(removed(DEFAULT_LAYOUT, id))).toEqual([id]);
});

test("what was removed can come back, charts get names of their own", () => {
  const fewer = removed(DEFAULT_LAYOUT, "tanks");
  expect(missing(fewer)).toEqual(["tanks"]);
  expect(ids(added(fewer, { id: "tanks" }))).toMatch(/tanks$/);
  expect(added(DEFAULT_LAYOUT, { id: "tanks" })).toBe(DEFAULT_LAYOUT);
  const charts = added(added(DEFAULT_LAYOUT, { metrics: ["a"] }), { metrics: ["b"] });
  expect(ids(charts)).toMatch(/chart-1 chart-2$/);
});

test("a layout survives the API, and no card is wider than the page", () => {
  const layout = added(resized(moved(DEFAULT_LAYOUT, "tanks", 2), "power", 2), { metrics: ["a,b", "<i>"] });
  const widgets = toWidgets(layout);
  expect(widgets.every(({ x, w }) => x + w <= 12)).toBe(true);
  expect(fromWidgets([...widgets].reverse())).toEqual(layout);
});

test("what this page cannot show is left out; nothing left is no layout", () => {
  expect(fromWidgets([])).toBeUndefined();
  expect(fromWidgets([{ id: "x", type: "tile", x: 0, y: 0, w: 3 }, { id: "chart-1", type: "chart", x: 0, y: 0, w: 3, metrics: [] }])).toBeUndefined();
  expect(fromWidgets([{ id: "tanks", type: "group", x: 0, y: 0, w: 48 }])).toEqual([{ id: "tanks", size: 12, metrics: [] }]);
});
