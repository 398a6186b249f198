import { expect, test } from "vitest";
import { DEFAULTS, parsePreferences } from "../../src/lib/preferences";

test.each([null, "", "{", "null", "[]", '"x"', '{"theme":"pink","temperature":7}'])("what cannot be understood (%s) is the default", (text) => {
  expect(parsePreferences(text)).toEqual(DEFAULTS);
});

test("what is understood is kept, what is not known is dropped", () => {
  expect(parsePreferences('{"theme":"night","temperature":"°F","surprise":1}')).toEqual({ ...DEFAULTS, theme: "night", temperature: "°F" });
});
