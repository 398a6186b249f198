import { describe, expect, test } from "vitest";
import type { Insight } from "../../src/api/queries";
import type { Deed } from "../../src/lib/deeds";
import { evidenceOf, impactText, lifeText, movedText } from "../../src/lib/evidence";
import { parsePreferences } from "../../src/lib/preferences";

const HERE = parsePreferences(null);
const THERE = parsePreferences('{"temperature": "°F"}');

function insight(change: object): Insight {
  return { status: "new", impact_score: 0.5, evidence: {}, marked_by: null, first_seen: 100, last_seen: 1600, snoozed_until: null, ...change } as unknown as Insight;
}

describe("evidence", () => {
  test("is taken as far as it is there, whatever it holds", () => {
    expect(evidenceOf(insight({ evidence: { value: "much", co_moving: "nothing" } }))).toMatchObject({ value: undefined, moved: [] });
    const { moved } = evidenceOf(insight({ evidence: { co_moving: [null, 3, { metric: "a.b", shift: -2 }, { metric: "c" }] } }));
    expect(moved).toEqual([{ metric: "a.b", title: "a.b", unit: null, shift: -2 }]);
  });

  test("what moved along is a difference: no 32 degrees are added to it", () => {
    const cabin = { metric: "cabin", title: "Cabin", unit: "°C", shift: 10 };
    expect(movedText(cabin, HERE)).toBe("Cabin (+10.0 °C)");
    expect(movedText(cabin, THERE)).toBe("Cabin (+18 °F)");
    expect(movedText({ ...cabin, unit: "A", shift: -6.1 }, HERE)).toBe("Cabin (−6.1 A)");
  });

  test("impact in words, and in the reader's units", () => {
    const warm = insight({ evidence: { kind: "limit", unit: "°C", direction: "above", distance: 1.5 } });
    expect(impactText(warm, evidenceOf(warm), HERE)).toBe("noticeable: 1.5 °C above the limit");
    expect(impactText(warm, evidenceOf(warm), THERE)).toBe("noticeable: 3 °F above the limit");
    expect(impactText(insight({ impact_score: 0.9 }), evidenceOf(insight({})), HERE)).toBe("large");
  });
});

describe("life", () => {
  test.each([
    [{}, "new"],
    [{ status: "acknowledged", marked_by: "user:anna" }, "seen by anna"],
    [{ status: "acknowledged", marked_by: "token:9c0fa658" }, "seen by token 9c0fa658"],
    [{ status: "acknowledged", marked_by: "local" }, "seen"],
    [{ status: "dismissed" }, "dismissed"],
    [{ status: "resolved" }, "resolved after 25 min"],
  ])("%o", (change, text) => {
    expect(lifeText(insight(change), undefined)).toBe(text);
  });

  test("acting goes before everything else", () => {
    const deed = { template: "switch_on", entity_name: "Roof fan" } as Deed;
    expect(lifeText(insight({ status: "acknowledged" }), deed)).toBe("acting: switch on: roof fan");
  });
});
