import { expect, test } from "vitest";
import type { MetricEntry } from "../../src/api/queries";
import { matching } from "../../src/components/metric-picker";

const metrics = [
  { name: "solar.battery.voltage", title: "Solar battery" },
  { name: "battery.house.voltage", title: "House battery voltage" },
  { name: "tank.fresh.level", title: "Fresh water" },
] as MetricEntry[];

const names = (text: string) => matching(metrics, text).map((metric) => metric.name);

test("every word counts, in name and title, whatever the case", () => {
  expect(names("")).toHaveLength(3);
  expect(names("WATER")).toEqual(["tank.fresh.level"]);
  expect(names("volt house")).toEqual(["battery.house.voltage"]);
  expect(names("nothing")).toEqual([]);
  expect(names("[(*")).toEqual([]);
});

test("names that begin so come first", () => {
  expect(names("battery")).toEqual(["battery.house.voltage", "solar.battery.voltage"]);
});
