// An insight as a card: what is the matter, since when, beside what is usual, and what to do about it.
import { Link } from "wouter";
import { ArrowRight, Lightbulb } from "lucide-react";
import type { ChartSeries, Insight } from "../api/queries";
import { underwayFor } from "../lib/deeds";
import { baselineText, evidenceOf, impactText, lifeText, movedText, percent, shadeEnd } from "../lib/evidence";
import { useNow } from "../lib/hooks";
import { insightLink, trendsLink } from "../lib/links";
import { usePreferences } from "../lib/preferences";
import { useSaid } from "../lib/said";
import { ago } from "../lib/times";
import { Deeds, useDeeds } from "./deed";
import { LastDay } from "./last-day";
import { Marks } from "./marks";
import { cx } from "./parts";
import { SeverityMark, severityLook } from "./severity";

const FEW = 2; // of what moved along, on a card

export function InsightCard({ insight, history, range }: {
  readonly insight: Insight;
  readonly history: ChartSeries | undefined;
  readonly range: readonly [number, number] | undefined;
}) {
  const now = useNow(30);
  const wanted = usePreferences();
  const said = useSaid();
  const evidence = evidenceOf(insight);
  const life = lifeText(insight, underwayFor(useDeeds(), insight.insight_id));
  return (
    <article
      aria-label={said(insight.title)}
      className={cx("card overflow-hidden border-l-4 p-4 sm:p-5", severityLook(insight.severity).edge)}
    >
      <div className="flex flex-wrap items-center justify-between gap-2">
        <SeverityMark severity={insight.severity} />
        <span className="text-xs text-soft" data-testid="life">
          {life}, {ago(now - insight.created_at)}
        </span>
      </div>
      <h3 className="mt-1.5 text-lg leading-snug font-semibold">{said(insight.title)}</h3>
      <p className="mt-1 max-w-prose text-sm text-soft">{said(insight.description)}</p>
      <LastDay
        history={history}
        range={range}
        limits={[evidence.low ?? null, evidence.high ?? null]}
        shade={evidence.start === undefined ? undefined : { start: evidence.start, end: shadeEnd(insight, evidence, range?.[1] ?? now) }}
        note={baselineText(evidence, wanted)}
      />
      <p className="mt-2 text-xs text-soft">
        {percent(insight.confidence)} sure
        {evidence.coverage !== undefined && `, ${percent(evidence.coverage)} of the time measured`}. Impact:{" "}
        {impactText(insight, evidence, wanted)}.
        {evidence.moved.length > 0 && insight.metric !== null && (
          <>
            {" "}
            Moves with{" "}
            <Link
              href={trendsLink({ metrics: [insight.metric, ...evidence.moved.slice(0, FEW).map((each) => each.metric)] })}
              className="text-accent underline"
            >
              {evidence.moved.slice(0, FEW).map((each) => movedText(each, wanted)).join(", ")}
            </Link>
            .
          </>
        )}
      </p>
      {insight.recommendations[0] !== undefined && (
        <p className="mt-3 flex gap-2 text-sm">
          <Lightbulb aria-hidden="true" className="mt-0.5 size-4.5 shrink-0 text-accent" />
          {said(insight.recommendations[0])}
        </p>
      )}
      <Deeds insight={insight} />
      <div className="mt-3 flex flex-wrap items-center justify-between gap-2">
        <Link
          href={insightLink(insight.insight_id)}
          className="-ml-2 inline-flex min-h-11 items-center gap-1.5 rounded-lg px-2 text-sm font-medium text-accent hover:bg-raised"
        >
          Why, and what to do
          <ArrowRight aria-hidden="true" className="size-4" />
        </Link>
        <Marks insight={insight} />
      </div>
    </article>
  );
}
