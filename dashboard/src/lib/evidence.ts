// What an insight rests on and where in its life it is, in the reader's words and units. Pure.
import type { Insight } from "../api/queries";
import type { Deed } from "./deeds";
import { deedName } from "./deeds";
import type { Preferences } from "./preferences";
import { moment, span } from "./times";
import { shownDifference, shownText } from "./units";
import { person } from "./words";

export interface Evidence {
  readonly unit: string | null;
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly value: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly direction: string | undefined;
  readonly samples: number | undefined;
  readonly kind: string | undefined;
  readonly coverage: number | undefined; // share of the span that was heard of
  readonly distance: number | undefined; // from the limit on its side
  readonly moved: readonly Moved[];
}

/** A metric that shifted at the same time. */
export interface Moved {
  readonly metric: string;
  readonly title: string;
  readonly unit: string | null;
  readonly shift: number;
}

/** The numbers an insight rests on, as far as it has them. */
export function evidenceOf(insight: Insight): Evidence {
  const given = insight.evidence as Readonly<Record<string, unknown>>;
  const number = (name: string) => (typeof given[name] === "number" ? given[name] : undefined);
  const text = (name: string) => (typeof given[name] === "string" ? given[name] : undefined);
  return {
    unit: text("unit") ?? null,
    start: number("start"),
    end: number("end"),
    value: number("value"),
    low: number("expected_low"),
    high: number("expected_high"),
    direction: text("direction"),
    samples: number("samples"),
    kind: text("kind"),
    coverage: number("coverage"),
    distance: number("distance"),
    moved: Array.isArray(given["co_moving"]) ? given["co_moving"].flatMap(movedOf) : [],
  };
}

function movedOf(given: unknown): Moved[] {
  const { metric, title, unit, shift } = (given ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof metric !== "string" || typeof shift !== "number") return [];
  return [{ metric, title: typeof title === "string" ? title : metric, unit: typeof unit === "string" ? unit : null, shift }];
}

/** `House battery current (−6.1 A)`. */
export function movedText({ title, unit, shift }: Moved, wanted: Preferences): string {
  return `${title} (${shownDifference(shift, unit, wanted, true)})`;
}

/** What it means, and how far beyond what is wanted it is, in the reader's units. */
export function impactText(insight: Insight, { distance, direction, unit, kind }: Evidence, wanted: Preferences): string {
  const score = insight.impact_score;
  const word = score >= 0.75 ? "large" : score >= 0.4 ? "noticeable" : "small";
  if (distance === undefined || distance === 0 || (direction !== "above" && direction !== "below")) return word;
  return `${word}: ${shownDifference(distance, unit, wanted)} ${direction} ${kind === "limit" ? "the limit" : "what is usual"}`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Where in its life it is: new, seen, acting, put off, over. */
export function lifeText(insight: Insight, acting: Deed | undefined): string {
  if (acting !== undefined) return `acting: ${deedName(acting.template, acting.entity_name).toLowerCase()}`;
  const by = insight.marked_by === null || insight.marked_by === "local" ? "" : ` by ${person(insight.marked_by)}`;
  switch (insight.status) {
    case "resolved":
      return `resolved after ${span(insight.last_seen - insight.first_seen)}`;
    case "acknowledged":
      return `seen${by}`;
    case "snoozed":
      return insight.snoozed_until === null ? `put off${by}` : `put off until ${moment(insight.snoozed_until)}${by}`;
    case "dismissed":
      return `dismissed${by}`;
    case "new":
      return "new";
  }
}

/** What it is compared with, in words. */
export function baselineText(evidence: Evidence, wanted: Preferences): string | undefined {
  const { low, high, unit } = evidence;
  const usual = evidence.kind === "limit" ? "limits" : "usual";
  if (low !== undefined && high !== undefined) {
    return `${usual}: ${shownText(low, unit, wanted)} to ${shownText(high, unit, wanted)}`;
  }
  if (high !== undefined) return `${usual}: below ${shownText(high, unit, wanted)}`;
  if (low !== undefined) return `${usual}: above ${shownText(low, unit, wanted)}`;
  return undefined;
}

/** Where the shaded span ends: an insight that is open goes on until now. */
export function shadeEnd(insight: Insight, evidence: Evidence, now: number): number {
  return insight.status === "resolved" ? (evidence.end ?? insight.updated_at) : now;
}
