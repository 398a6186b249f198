import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEFAULTS, setPreferences } from "../../src/lib/preferences";
import { ThresholdForm } from "../../src/pages/settings/threshold-form";
import type { Threshold, Wanted } from "../../src/pages/settings/threshold-form";

const KNOWN = {
  condition: "above", value: 1234567.89, low: null, high: 1234567.89, hysteresis: 0.123456789, min_duration_s: 100, missing: "keep",
  missing_after_s: 2, recover_after_s: 60, severity: "medium", category: "reliability",
} as Threshold; // prettier-ignore

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  setPreferences(DEFAULTS);
});
afterEach(() => {
  cleanup();
  setPreferences(DEFAULTS);
});

/** The form as drawn, and what it asks for when it is submitted: undefined, when the browser would not let it. */
function drawn(unit: string | null, known?: Threshold) {
  let asked: Wanted | undefined;
  render(
    <ThresholdForm label="it" unit={unit} known={known} onSubmit={(wanted) => (asked = wanted)}>
      {null}
    </ThresholdForm>,
  );
  const form = screen.getByRole<HTMLFormElement>("form");
  return () => {
    if (form.checkValidity()) fireEvent.submit(form);
    return asked;
  };
}

const field = (label: string | RegExp) => screen.getByLabelText<HTMLInputElement>(label);

test.each([null, "km"])("what is not touched stays as it is stored, to its last digit, in %s", (unit) => {
  setPreferences({ distance: "mi" });
  expect(drawn(unit, KNOWN)()).toMatchObject({ value: 1234567.89, hysteresis: 0.123456789, min_duration_s: 100, missing_after_s: 2 });
});

test("a limit is shown as it is, and in another unit without what conversion makes of it", () => {
  drawn("km", KNOWN);
  expect(field("Limit (km)").value).toBe("1234567.89");
  cleanup();
  setPreferences({ temperature: "°F" });
  drawn("°C", { ...KNOWN, value: -23.3333333, high: -23.3333333 });
  expect(field("Limit (°F)").value).toBe("-10");
  act(() => setPreferences({ temperature: "°C" }));
  expect(field("Limit (°C)").value).toBe("-23.3333333");
});

test("what is touched is taken in the reader's unit", () => {
  setPreferences({ temperature: "°F" });
  const submit = drawn("°C", { ...KNOWN, value: 20, high: 20 });
  fireEvent.change(field("Limit (°F)"), { target: { value: "50" } });
  fireEvent.change(field(/^For at least/), { target: { value: "2" } });
  expect(submit()).toMatchObject({ value: 10, min_duration_s: 120, missing_after_s: 2 });
});

test.each([1, 604_800])("all lengths that the service takes can be saved: %d s", (seconds) => {
  expect(drawn(null, { ...KNOWN, min_duration_s: seconds, missing_after_s: seconds })()).toMatchObject({ min_duration_s: seconds, missing_after_s: seconds });
});

test("what is wrong where it can't be seen comes into sight", () => {
  const submit = drawn(null);
  fireEvent.change(field("Limit"), { target: { value: "5" } });
  fireEvent.change(field(/^Silent after/), { target: { value: "" } });
  expect(screen.getByRole<HTMLDetailsElement>("group").open).toBe(false);
  expect(submit()).toBeUndefined();
  expect(screen.getByRole<HTMLDetailsElement>("group").open).toBe(true);
});
