// What can be done about an insight at the press of a button, how far it is, and what it changed.
import { useQuery } from "@tanstack/react-query";
import { Check, Hand, LoaderCircle, Power, Undo2 } from "lucide-react";
import { useEffect, useId, useMemo, useState } from "react";
import type { Insight } from "../api/queries";
import { deedsQuery, press, recommendationsQuery, takeBack } from "../api/deeds";
import { deedName, deedText, isUnderway, latestFor, wasDone } from "../lib/deeds";
import type { Deed, Recommendation } from "../lib/deeds";
import { serverNow } from "../lib/clock";
import { useSaid } from "../lib/said";
import { counted } from "../lib/words";
import { HoldButton } from "./hold-button";
import { Button } from "./parts";

const NO_DEEDS: readonly Deed[] = [];
const FEW = 3;

export function useDeeds(): readonly Deed[] {
  return useQuery(deedsQuery).data?.actions ?? NO_DEEDS;
}

/** What has a button, by its words. */
export function useOffered(insightId: string): ReadonlySet<string> {
  const { data } = useQuery(recommendationsQuery);
  return useMemo(() => new Set(data?.recommendations.filter((each) => each.insight_id === insightId).map((each) => each.text)), [data, insightId]);
}

/** The buttons of one insight, and what came of them. `whole`: all, with what such advice has come to so far. */
export function Deeds({ insight, whole = false }: { insight: Insight; whole?: boolean }) {
  const said = useSaid();
  const { data } = useQuery(recommendationsQuery);
  const deeds = useDeeds();
  const mine = (data?.recommendations ?? []).filter((each) => each.insight_id === insight.insight_id);
  const offered = (whole ? mine : mine.slice(0, FEW)).map((advice) => ({ id: advice.recommendation_id, advice, deed: latestFor(deeds, advice.recommendation_id) }));
  // What is so already is offered no more; that it was done, and what it changed, is told all the same.
  const ids = new Set(mine.map((each) => each.recommendation_id));
  const done = deeds
    .filter((deed, at) => deed.insight_id === insight.insight_id && !ids.has(deed.recommendation_id) && latestAt(deeds, deed) === at)
    .filter((deed) => wasDone(deed) || isUnderway(deed))
    .map((deed) => ({ id: deed.recommendation_id, advice: undefined, deed }));
  const shown = [...offered, ...done];
  const told = new Set(shown.map(({ deed }) => deed?.effect));
  const effects = insight.effects.filter((effect) => !told.has(effect));
  const isSilent = whole && data?.core === "unreachable";
  if (shown.length === 0 && effects.length === 0 && !isSilent) return null;
  return (
    <div className="mt-3 space-y-3">
      {shown.map(({ id, advice, deed }) => (
        <OneDeed key={id} advice={advice} deed={deed} whole={whole} />
      ))}
      {offered.length < mine.length && <p className="text-sm text-soft">And {mine.length - offered.length} more.</p>}
      {effects.map((effect) => (
        <p key={effect} className="text-sm text-soft">{said(effect)}.</p>
      ))}
      {isSilent && <p className="text-sm text-soft">What could be done from here can't be told now: {data.reason ?? "no reason given"}.</p>}
    </div>
  );
}

/** The service's time, drawn anew while something counts down to `until`. */
function useCountdown(until: number | null | undefined): number {
  const [, setTicks] = useState(0);
  const now = serverNow();
  const isCounting = until != null && until > now;
  useEffect(() => {
    if (!isCounting) return undefined;
    const timer = setInterval(() => setTicks((ticks) => ticks + 1), 250);
    return () => clearInterval(timer);
  }, [isCounting]);
  return now;
}

function latestAt(deeds: readonly Deed[], { recommendation_id: id }: Deed): number {
  return deeds.findIndex((each) => each.recommendation_id === id);
}

function OneDeed({ advice, deed, whole }: { advice: Recommendation | undefined; deed: Deed | undefined; whole: boolean }) {
  const said = useSaid();
  const words = useId();
  const now = useCountdown(deed?.undo_until);
  const of = advice ?? deed;
  const name = of === undefined ? "" : deedName(of.template, of.entity_name);
  const isBusy = deed !== undefined && isUnderway(deed);
  const isDone = deed !== undefined && wasDone(deed);
  const canUndo = deed !== undefined && deed.undo_until !== null && deed.undo_until > now;
  return (
    <section aria-label={name} className="rounded-xl bg-raised p-3">
      {advice !== undefined && <p className="text-sm">{said(advice.text)}.</p>}
      <p id={words} className="mb-2 text-xs text-soft">
        {said(of?.consequence ?? "")}
        {whole && advice !== undefined && advice.measured > 0 && ` Such advice has helped ${advice.helped} of ${counted(advice.measured, "time")}.`}
      </p>
      <div className="flex flex-wrap items-center gap-2">
        {advice?.risk === "amber" && !isBusy && !isDone ? (
          <HoldButton describedBy={words} onHeld={() => void press(advice, true)}>
            <Hand aria-hidden="true" className="size-4" /> Hold: {name}
          </HoldButton>
        ) : (
          // Stays where it is while it is at work: who has pressed it by keyboard keeps the place, and a second click finds nothing to do.
          <Button
            tone={isBusy || isDone ? "plain" : "accent"}
            aria-describedby={words}
            aria-disabled={isBusy || isDone}
            className="aria-disabled:cursor-default aria-disabled:opacity-75"
            onClick={() => {
              if (advice !== undefined && !isBusy && !isDone) void press(advice, false);
            }}
          >
            {isBusy ? (
              <LoaderCircle aria-hidden="true" className="size-4 animate-spin" />
            ) : isDone ? (
              <Check aria-hidden="true" className="size-4 text-good" />
            ) : (
              <Power aria-hidden="true" className="size-4" />
            )}
            {name}
          </Button>
        )}
        {canUndo && (
          <Button onClick={() => void takeBack(deed)}>
            <Undo2 aria-hidden="true" className="size-4" /> Undo
          </Button>
        )}
      </div>
      <p role="status" className="mt-1.5 text-sm text-soft empty:hidden">
        {deed === undefined ? "" : deedText(deed, now)}
      </p>
    </section>
  );
}
