// An insight as a card: what is the matter, since when, beside what is usual, and what to do about it.
import { Link } from "wouter";
import { ArrowRight, Lightbulb } from "lucide-react";
import type { ChartSeries, Insight } from "../api/queries";
import { useNow } from "../lib/hooks";
import { insightLink } from "../lib/links";
import { usePreferences } from "../lib/preferences";
import { ago } from "../lib/times";
import { shownText } from "../lib/units";
import type { Preferences } from "../lib/preferences";
import { Marks } from "./marks";
import { cx } from "./parts";
import { SeverityMark, severityLook } from "./severity";
import { Spark } from "./spark";

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
  };
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

export function InsightCard({ insight, history, range }: {
  readonly insight: Insight;
  readonly history: ChartSeries | undefined;
  readonly range: readonly [number, number] | undefined;
}) {
  const now = useNow(30);
  const wanted = usePreferences();
  const evidence = evidenceOf(insight);
  const baseline = baselineText(evidence, wanted);
  const limits = [evidence.low ?? null, evidence.high ?? null];
  return (
    <article
      aria-label={insight.title}
      className={cx("card overflow-hidden border-l-4 p-4 sm:p-5", severityLook(insight.severity).edge)}
    >
      <div className="flex flex-wrap items-center justify-between gap-2">
        <SeverityMark severity={insight.severity} />
        <span className="text-xs text-soft">{ago(now - insight.created_at)}</span>
      </div>
      <h3 className="mt-1.5 text-lg leading-snug font-semibold">{insight.title}</h3>
      <p className="mt-1 max-w-prose text-sm text-soft">{insight.description}</p>
      {history !== undefined && range !== undefined && history.values.length > 1 && (
        <div className="mt-3">
          <Spark
            times={history.times}
            values={history.values}
            gaps={history.gaps}
            start={range[0]}
            end={range[1]}
            limits={limits}
            shade={
              evidence.start === undefined ? undefined : { start: evidence.start, end: shadeEnd(insight, evidence, range[1]) }
            }
            className="h-20 w-full text-accent"
          />
          <p className="mt-1 flex justify-between text-xs text-soft">
            <span>24 hours</span>
            <span>{baseline}</span>
          </p>
        </div>
      )}
      {insight.recommendations[0] !== undefined && (
        <p className="mt-3 flex gap-2 text-sm">
          <Lightbulb aria-hidden="true" className="mt-0.5 size-4.5 shrink-0 text-accent" />
          {insight.recommendations[0]}
        </p>
      )}
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
