import { expect, test } from "vitest";
import { DEFAULTS } from "../../src/lib/preferences";
import { given, givenDifference, inUnits, shown, shownDifference, shownText, stateText } from "../../src/lib/units";

const IMPERIAL = { ...DEFAULTS, temperature: "°F", volume: "gal", pressure: "psi", distance: "mi" } as const;

test.each([
  [21.55, "°C", "21.6 °C", "71 °F"],
  [100, "L", "100 L", "26.4 gal"],
  [2.5, "bar", "2.50 bar", "36.3 psi"],
  [100, "kPa", "100 kPa", "14.5 psi"],
  [88, "km/h", "88 km/h", "55 mph"],
  [13.2345, "V", "13.23 V", "13.23 V"],
  [97.6, "%", "98 %", "98 %"],
])("%d %s is said in the reader's units", (value, unit, metric, imperial) => {
  expect(shownText(value, unit, DEFAULTS)).toBe(metric);
  expect(shownText(value, unit, IMPERIAL)).toBe(imperial);
});

test("what is unknown, zero, tiny or huge is still readable", () => {
  expect(shownText(null, "V", DEFAULTS)).toBe("– V");
  expect(shownText(Number.NaN, null, DEFAULTS)).toBe("–");
  expect(shownText(-0.001, "V", DEFAULTS)).toBe("0.00 V");
  expect(shownText(-12.3, "A", DEFAULTS)).toBe("−12.3 A");
  expect(shown(1e12, null, DEFAULTS).number).toBe("1.00e+12");
  expect(shown(0.00123, null, DEFAULTS).number).toBe("0.00123");
  expect(stateText(1)).toBe("on");
  expect(stateText(0)).toBe("off");
  expect(stateText(3)).toBe("3");
});

test("what is typed in the wanted unit comes back in the metric's own", () => {
  expect(given(50, "°F", IMPERIAL)).toBe(50);
  expect(given(50, "°C", IMPERIAL)).toBe(10);
  expect(given(50, "°C", DEFAULTS)).toBe(50);
  expect(givenDifference(9, "°C", IMPERIAL)).toBe(5);
  expect(givenDifference(36.2594345, "bar", IMPERIAL)).toBeCloseTo(2.5);
});

test("a difference is scaled and nothing else", () => {
  expect(shownDifference(-10, "°C", IMPERIAL, true)).toBe("−18 °F");
  expect(shownDifference(5, "%", IMPERIAL, true)).toBe("+5 %");
});

test.each([
  ["Refrigerator reads 9.4 °C, usual is 2.0 to 5.5 °C.", "Refrigerator reads 49 °F, usual is 36 to 42 °F."],
  ["Fridge -3.0\u202f°C in 12 min", "Fridge −5 °F in 12 min"],
  ["Coolant is 10.0\u202f°C above its usual 85.0 °C", "Coolant is 18 °F above its usual 185 °F"],
  ["-5 °C outside, 100 L left, 2.50 bar, 88 km/h after 1,000 km", "23 °F outside, 26.4 gal left, 36.3 psi, 55 mph after 621 mi"],
  ["12.1 V and 5 Lions, 3 kPax, 2 °Cx", "12.1 V and 5 Lions, 3 kPax, 2 °Cx"],
])("a sentence of the service: %s", (text, imperial) => {
  expect(inUnits(text, IMPERIAL)).toBe(imperial);
  expect(inUnits(text, DEFAULTS)).toBe(text);
});
