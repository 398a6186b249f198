// Device actions in words: what stands on the button, how far one is, and what came of it. Pure.
import type { Schemas } from "../api/client";
import { clockTime } from "./times";

export type Deed = Schemas["ActionResponse"];
export type Recommendation = Schemas["RecommendationResponse"];

const VERBS: Readonly<Record<string, string>> = { switch_on: "Switch on", switch_off: "Switch off", dim: "Dim" };

/** `Switch on: Refrigerator fan`. */
export function deedName(template: string, entityName: string): string {
  return `${VERBS[template] ?? template.replaceAll("_", " ")}: ${entityName}`;
}

const UNDERWAY = new Set<Deed["state"]>(["proposed", "confirmed", "sending", "unknown"]);

/** Begun, and its outcome is not known yet. */
export function isUnderway(deed: Deed): boolean {
  return UNDERWAY.has(deed.state);
}

/** It was carried out, as far as anybody knows. */
export function wasDone(deed: Deed): boolean {
  return deed.state === "succeeded" || (deed.state === "reconciled" && deed.effect_seen === true);
}

/** The latest one for a recommendation, of actions that come newest first. */
export function latestFor(deeds: readonly Deed[], recommendationId: string): Deed | undefined {
  return deeds.find((deed) => deed.recommendation_id === recommendationId);
}

/** One that is underway on the advice of an insight. */
export function underwayFor(deeds: readonly Deed[], insightId: string): Deed | undefined {
  return deeds.find((deed) => deed.insight_id === insightId && isUnderway(deed));
}

function because(deed: Deed): string {
  return deed.reason === null ? "." : `: ${deed.reason}.`;
}

/** How far it is, in a sentence. */
export function deedText(deed: Deed, now: number): string {
  switch (deed.state) {
    case "proposed":
      return "Waiting to be confirmed.";
    case "confirmed":
      return deed.undo_until !== null && deed.undo_until > now
        ? `Will be sent in ${Math.ceil(deed.undo_until - now)} s.`
        : "Looking once more before it is sent.";
    case "sending":
      return "Sending…";
    case "succeeded":
      return deed.effect === null
        ? `Done at ${clockTime(deed.changed_at)}. What it changes is measured some minutes later.`
        : effectText(deed);
    case "rejected":
      return `Not done${because(deed)}`;
    case "failed_before_send":
      return `Nothing was sent${because(deed)}`;
    case "unknown":
      return `Sent, but not confirmed${because(deed)} Its state is being read; it is never sent twice.`;
    case "reconciled":
      if (deed.effect !== null) return effectText(deed);
      if (deed.effect_seen === true) return "Done: its state says so, though the core did not.";
      return deed.effect_seen === false ? "It was sent, and its state did not change." : "It was sent; what came of it can't be read.";
    case "cancelled":
      return "Taken back; nothing was sent.";
    case "expired":
      return `Nothing was sent${because(deed)}`;
  }
}

function effectText(deed: Deed): string {
  return `${deed.effect ?? ""}.${deed.helped === true ? " It helped." : deed.helped === false ? " It did not help." : ""}`;
}
