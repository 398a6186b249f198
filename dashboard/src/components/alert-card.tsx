// A threshold of the reader's own that fires, as a card: what is beyond which limit, since when, and how far it went.
import { Link } from "wouter";
import { ArrowRight } from "lucide-react";
import type { Alert, ChartSeries } from "../api/queries";
import { useLive } from "../live/values";
import { useNow } from "../lib/hooks";
import { trendsLink } from "../lib/links";
import { usePreferences } from "../lib/preferences";
import { useSaid } from "../lib/said";
import { ago } from "../lib/times";
import { shownText } from "../lib/units";
import { alertTitle, furthestText } from "../lib/words";
import { LastDay } from "./last-day";
import { cx } from "./parts";
import { SeverityMark, severityLook } from "./severity";

export function AlertCard({ alert, history, range }: {
  readonly alert: Alert;
  readonly history: ChartSeries | undefined;
  readonly range: readonly [number, number] | undefined;
}) {
  const now = useNow(30);
  const wanted = usePreferences();
  const said = useSaid();
  const live = useLive(alert.metric);
  const unit = history?.unit;
  const wasFurther = alert.peak !== null && live !== undefined && (alert.side === "below" ? alert.peak < live.value : alert.peak > live.value);
  const title = said(alertTitle(alert, history?.title ?? alert.metric));
  return (
    <article aria-label={title} className={cx("card overflow-hidden border-l-4 p-4 sm:p-5", severityLook(alert.severity).edge)}>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <SeverityMark severity={alert.severity} />
        <span className="text-xs text-soft">your threshold, {ago(now - alert.fired_at)}</span>
      </div>
      <h3 className="mt-1.5 text-lg leading-snug font-semibold">{title}</h3>
      {history !== undefined && live !== undefined && (
        <p className="mt-1 text-sm text-soft">
          Now {shownText(live.value, unit, wanted)}
          {wasFurther && furthestText(alert, unit, wanted)}.
        </p>
      )}
      <LastDay
        history={history}
        range={range}
        limits={[alert.limit]}
        shade={range === undefined ? undefined : { start: alert.fired_at, end: range[1] }}
        note={alert.limit === null || history === undefined ? undefined : `your limit: ${shownText(alert.limit, unit, wanted)}`}
      />
      <div className="mt-3 -ml-2 flex flex-wrap gap-x-4">
        {([["Look closer in Trends", trendsLink({ metrics: [alert.metric] })], ["Change the threshold", "/settings/thresholds"]] as const).map(([text, href]) => (
          <Link key={href} href={href} className="inline-flex min-h-11 items-center gap-1.5 rounded-lg px-2 text-sm font-medium text-accent hover:bg-raised">
            {text}
            <ArrowRight aria-hidden="true" className="size-4" />
          </Link>
        ))}
      </div>
    </article>
  );
}
