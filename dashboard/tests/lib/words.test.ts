import { expect, test } from "vitest";
import type { Insight, PowerNode, TileGroup } from "../../src/api/queries";
import { headline } from "../../src/lib/words";

const insight = (severity: string) => ({ severity }) as Insight;
const group = (role: string, value: number | null) => ({ tiles: [{ role, value }] }) as unknown as TileGroup;

test.each([
  [[], "All is well."],
  [["low"], "One thing is worth a look."],
  [["medium", "low"], "Two things are worth a look."],
  [["critical"], "One thing needs attention."],
  [["high", "high", "low"], "Two things need attention, one thing is worth a look."],
  [Array.from({ length: 9 }, () => "high"), "9 things need attention."],
])("%j reads: %s", (severities, title) => {
  expect(headline(severities.map(insight), [], []).title).toBe(title);
});

test("the situation in a sentence, of what is known", () => {
  const battery: PowerNode = { node: "battery", title: "", watts: 107.4, metrics: [], text: "discharging" };
  expect(headline([], [group("battery_soc", 96.6), group("fresh_tank", 69)], [battery]).text).toBe(
    "The battery is at 97 %, discharging with 107.4 W. Fresh water is at 69 %.",
  );
  expect(headline([], [group("battery_soc", 50)], [{ ...battery, watts: 0 }]).text).toBe("The battery is at 50 % and resting.");
  expect(headline([], [group("battery_soc", null)], []).text).toBe("");
});
