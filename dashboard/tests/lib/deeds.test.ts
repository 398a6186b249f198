import { describe, expect, test } from "vitest";
import { deedName, deedText, isUnderway, latestFor, underwayFor, wasDone } from "../../src/lib/deeds";
import type { Deed } from "../../src/lib/deeds";

const DEED: Deed = {
  action_id: "1", recommendation_id: "r", insight_id: "i", metric: "fridge.temperature", template: "switch_on",
  entity_id: "fan", entity_name: "Refrigerator fan", risk: "green", state: "confirmed", created_at: 100, changed_at: 100,
  expires_at: 130, undo_until: 105, by: "local", needs_confirmation: false, consequence: null, reason: null,
  effect_seen: null, effect: null, helped: null, persisted: true,
}; // prettier-ignore

describe("an action in words", () => {
  test("its name", () => {
    expect(deedName("switch_on", "Roof fan")).toBe("Switch on: Roof fan");
    expect(deedName("wind_up", "Clock")).toBe("wind up: Clock");
  });

  test("counts down to when it is sent, by whole seconds", () => {
    expect(deedText(DEED, 100.2)).toBe("Will be sent in 5 s.");
    expect(deedText(DEED, 104.9)).toBe("Will be sent in 1 s.");
    expect(deedText(DEED, 105)).toBe("Looking once more before it is sent.");
  });

  test.each([
    [{ state: "rejected", reason: "it is so already" }, "Not done: it is so already."],
    [{ state: "unknown", reason: "the core did not answer within 10 s" }, "Sent, but not confirmed: the core did not answer within 10 s. Its state is being read; it is never sent twice."],
    [{ state: "reconciled", effect_seen: false }, "It was sent, and its state did not change."],
    [{ state: "cancelled", reason: "taken back" }, "Taken back; nothing was sent."],
    [{ state: "succeeded", effect: "Fan on 14:02, Refrigerator temperature -3.0 °C in 12 min", helped: true }, "Fan on 14:02, Refrigerator temperature -3.0 °C in 12 min. It helped."],
  ] as const)("%o", (change, text) => {
    expect(deedText({ ...DEED, ...change } as Deed, 200)).toBe(text);
  });

  test("what is underway and what was done", () => {
    const states = ["proposed", "confirmed", "sending", "unknown", "succeeded", "rejected", "failed_before_send", "reconciled", "cancelled", "expired"] as const;
    expect(states.filter((state) => isUnderway({ ...DEED, state }))).toEqual(["proposed", "confirmed", "sending", "unknown"]);
    expect(states.filter((state) => wasDone({ ...DEED, state, effect_seen: true }))).toEqual(["succeeded", "reconciled"]);
    expect(wasDone({ ...DEED, state: "reconciled", effect_seen: null })).toBe(false);
  });

  test("the latest of a recommendation, and what is underway for an insight", () => {
    const older: Deed = { ...DEED, action_id: "0", state: "cancelled" };
    const other: Deed = { ...DEED, action_id: "2", recommendation_id: "s", insight_id: "j", state: "sending" };
    expect(latestFor([other, DEED, older], "r")).toBe(DEED);
    expect(underwayFor([other, older], "i")).toBeUndefined();
    expect(underwayFor([other, older], "j")).toBe(other);
  });
});
