import { expect, test } from "vitest";
import type { Alert, Insight, PowerNode, TileGroup } from "../../src/api/queries";
import { DEFAULTS } from "../../src/lib/preferences";
import { alertTitle, bySeverity, counted, furthestText, headline, holding } from "../../src/lib/words";

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
  expect(headline(severities.map(insight), [], [], []).title).toBe(title);
});

test("the situation in a sentence, of what is known", () => {
  const battery: PowerNode = { node: "battery", title: "", watts: 107.4, metrics: [], text: "discharging" };
  expect(headline([], [], [group("battery_soc", 96.6), group("fresh_tank", 69)], [battery]).text).toBe(
    "The battery is at 97 %, discharging with 107.4 W. Fresh water is at 69 %.",
  );
  expect(headline([], [], [group("battery_soc", 50)], [{ ...battery, watts: 0 }]).text).toBe("The battery is at 50 % and resting.");
  expect(headline([], [], [group("battery_soc", null)], []).text).toBe("");
});

const tiles = (...levels: string[]) => [{ tiles: levels.map((level, at) => ({ role: "", value: 1, level, metric: `m${at}`, title: `M${at}` })) }] as unknown as TileGroup[];

test.each([
  [[], ["ok"], "All is well."],
  [["m0"], ["ok"], "Nothing new, one thing is put off."],
  [["m0", "m1"], ["critical"], "Nothing new, two things are put off."],
  [[], ["warning", "ok"], "M0 is outside its limits."],
  [[], ["warning", "critical"], "2 values are outside their limits."],
  [["m0"], ["warning", "critical"], "M1 is outside its limits, one thing is put off."],
])("put off %j beside %j reads: %s", (putOff, levels, title) => {
  const read = headline([], putOff.map((metric) => ({ metric })), tiles(...levels), []);
  expect(read).toMatchObject({ title, isWell: title === "All is well." });
});

test("an alert by its sentence, until it comes back", () => {
  const alert = { message: "Fridge is above 8 °C: 9 °C", state: "firing", peak: 9.5 } as Alert;
  expect(alertTitle(alert, "Fridge")).toBe("Fridge is above 8 °C: 9 °C");
  expect(alertTitle({ ...alert, state: "recovering" }, "Fridge")).toMatch(/^Fridge is back within its limit/);
  expect(furthestText(alert, "°C", DEFAULTS)).toBe(", at its furthest 9.5 °C");
  expect(furthestText({ peak: null }, "°C", DEFAULTS)).toBe("");
});

test("what is back, and only watched, is not counted", () => {
  const alerts = (["firing", "recovering"] as const).map((state) => ({ severity: "high", state }) as Alert);
  expect(headline(holding(alerts) as unknown as Insight[], [], [], []).title).toBe("One thing needs attention.");
});

test("one of a thing is one", () => {
  expect([0, 1, 2, 1234].map((count) => counted(count, "time"))).toEqual(["0 times", "1 time", "2 times", "1,234 times"]);
  expect([1, 3].map((count) => counted(count, "try", "tries"))).toEqual(["1 try", "3 tries"]);
});

test("what is most severe stands first, an alert before an insight that is as severe, insights as they came", () => {
  const alerts = [{ severity: "medium", id: 1 }, { severity: "low", id: 2 }] as const;
  const insights = [{ severity: "critical", id: 3 }, { severity: "medium", id: 4 }, { severity: "medium", id: 5 }] as const;
  expect(bySeverity(alerts, insights).map(({ id }) => id)).toEqual([3, 1, 4, 5, 2]);
});
