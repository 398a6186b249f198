// What repeats: the usual day of a metric behind today, the week by hours, and all patterns in words.
import { useQuery } from "@tanstack/react-query";
import { Repeat } from "lucide-react";
import { Link, useLocation } from "wouter";
import { cycleQuery, patternsQuery } from "../api/queries";
import type { Pattern } from "../api/queries";
import { PatternOverlay } from "../charts/pattern-overlay";
import { WeekStrip } from "../charts/week-strip";
import { MetricPicker } from "../components/metric-picker";
import { Empty, Failed, PageHeader, Skeleton } from "../components/parts";
import { useQueryString, useTitle } from "../lib/hooks";
import { useSaid } from "../lib/said";
import { counted } from "../lib/words";
import { patternsLink, trendsLink } from "../lib/links";

const DAYS = 28;
const HOURS = 168;

/** Of a daily pattern only that there is one: its hours and its swing are told once, of the usual day above, and there
 * they are medians of four weeks and not means of one. */
function briefly({ frequency, description }: Pattern): string {
  return frequency === "daily" ? (description.split(": highest around ")[0] ?? description) : description;
}

export default function Patterns() {
  const said = useSaid();
  useTitle("Patterns");
  const [, navigate] = useLocation();
  const asked = new URLSearchParams(useQueryString()).get("m") ?? undefined;
  const patterns = useQuery(patternsQuery(HOURS));
  const cyclical = (patterns.data?.patterns ?? [])
    .filter((each) => each.pattern_type === "cyclical")
    .sort((a, b) => b.confidence - a.confidence);
  const others = (patterns.data?.patterns ?? []).filter((each) => each.pattern_type !== "cyclical");
  const metric = asked ?? cyclical[0]?.metric;
  const cycle = useQuery(cycleQuery(metric, DAYS));
  return (
    <>
      <PageHeader title="Patterns">
        <MetricPicker label="Choose a metric" chosen={metric === undefined ? [] : [metric]} onToggle={(name) => navigate(patternsLink(name))} closes />
      </PageHeader>
      {metric === undefined ? (
        patterns.error !== null ? (
          <Failed error={patterns.error} again={() => void patterns.refetch()} />
        ) : patterns.data === undefined ? (
          <div role="status" aria-label="Loading"><Skeleton className="h-96 rounded-2xl" /></div>
        ) : (
          <Empty title="Nothing repeats yet" icon={<Repeat aria-hidden="true" className="size-10" />}>
            Daily patterns show after about three days of data. Choose a metric above to see what is known of it.
          </Empty>
        )
      ) : cycle.data === undefined ? (
        cycle.error !== null ? (
          <Failed error={cycle.error} again={() => void cycle.refetch()} />
        ) : (
          <div role="status" aria-label="Loading"><Skeleton className="h-96 rounded-2xl" /></div>
        )
      ) : (
        <section aria-label={said(cycle.data.title)} className="card p-4 sm:p-6">
          <h2 className="text-xl font-semibold text-pretty">{said(cycle.data.title)}</h2>
          <p className="mt-1 mb-4 max-w-prose text-soft text-pretty">{said(cycle.data.text)}</p>
          {cycle.data.utc_offset_minutes !== -new Date().getTimezoneOffset() && (
            <p className="mb-4 text-sm text-soft">Times of day here are the coach’s ({cycle.data.time_zone}), not this device’s.</p>
          )}
          <PatternOverlay cycle={cycle.data} height={300} />
          <p className="mt-2 mb-6 flex flex-wrap gap-x-6 gap-y-1 text-xs text-soft">
            <span className="inline-flex items-center gap-2"><span aria-hidden="true" className="h-1 w-6 rounded-full bg-(--series-1)" /> today</span>
            {cycle.data.days > 0 && (
              <>
                <span className="inline-flex items-center gap-2"><span aria-hidden="true" className="w-6 border-t-2 border-dashed border-(--series-3)" /> median of {counted(cycle.data.days, "day")}</span>
                <span className="inline-flex items-center gap-2"><span aria-hidden="true" className="h-3 w-6 rounded-sm bg-(--series-3) opacity-30" /> the middle half of those days</span>
              </>
            )}
            <Link href={trendsLink({ metrics: [metric], from: -7 * 86_400 })} className="text-accent underline">Open in Trends</Link>
          </p>
          {cycle.data.days > 0 && (
            <>
              <h3 className="mb-2 text-sm font-semibold text-soft">Hour by weekday</h3>
              <WeekStrip cycle={cycle.data} />
            </>
          )}
        </section>
      )}
      {(cyclical.length > 0 || others.length > 0) && (
        <div className="mt-4 grid gap-4 lg:grid-cols-2">
          {([["What repeats", cyclical], ["What rises or falls", others]] as const).map(
            ([title, list]) =>
              list.length > 0 && (
                <section key={title} aria-label={title} className="card p-4 sm:p-5">
                  <h2 className="mb-2 px-1 text-sm font-semibold text-soft">{title}</h2>
                  <ul className="space-y-0.5">
                    {list.slice(0, 12).map((each) => (
                      <li key={each.pattern_id}>
                        <Link
                          href={each.pattern_type === "cyclical" ? patternsLink(each.metric) : trendsLink({ metrics: [each.metric], from: -HOURS * 3600 })}
                          className="flex min-h-11 items-center gap-3 rounded-lg px-2 py-1.5 text-sm hover:bg-raised"
                        >
                          <span className="flex-1">{said(briefly(each))}</span>
                          <span className="text-xs whitespace-nowrap text-soft">{Math.round(each.confidence * 100)} % sure</span>
                        </Link>
                      </li>
                    ))}
                  </ul>
                </section>
              ),
          )}
        </div>
      )}
    </>
  );
}
