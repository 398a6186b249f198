// One metric over time: its chart or table, what it reads under the crosshair, what was noticed.
import type { ComponentProps } from "react";
import { Link } from "wouter";
import type { ChartSeries } from "../../api/queries";
import { useCrosshair } from "../../charts/crosshair";
import { ChartTable } from "../../charts/table";
import { reading, TrendChart } from "../../charts/trend-chart";
import { nearest } from "../../charts/window";
import { insightLink, patternsLink } from "../../lib/links";
import { usePreferences } from "../../lib/preferences";
import { useSaid } from "../../lib/said";
import { moment, preciseMoment } from "../../lib/times";
import { counted } from "../../lib/words";

export function MetricCard({ asTable, ...chart }: ComponentProps<typeof TrendChart> & { asTable: boolean }) {
  const said = useSaid();
  const { series, span, stepSeconds } = chart;
  const visible = series.anomalies.filter((each) => each.end >= span.start && each.start <= span.end);
  return (
    <section aria-label={series.title} className="card min-w-0 p-4">
      <header className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <h2 className="min-w-0 text-base font-semibold">
          {series.title} <Link href={patternsLink(series.metric)} className="ml-2 text-xs font-normal text-accent underline">usual day</Link>
        </h2>
        <Readout series={series} stepSeconds={stepSeconds} />
      </header>
      {asTable ? (
        <ChartTable series={series} />
      ) : series.times.length === 0 ? (
        <p className="py-12 text-center text-sm text-soft">
          Nothing was recorded in this range. Try a longer one, or zoom out.
        </p>
      ) : (
        <TrendChart {...chart} />
      )}
      {(visible.length > 0 || series.notes.length > 0) && !asTable && (
        <ul className="mt-2 space-y-1 text-sm text-soft">
          {series.notes.map((note) => (
            <li key={note.insight_id}>
              <Link href={insightLink(note.insight_id)} className="text-accent underline">{said(note.title)}</Link>, since {moment(note.start)}
            </li>
          ))}
          {visible.slice(0, 3).map((each) => <li key={each.start}>{said(each.description)}</li>)}
          {visible.length > 3 && <li>and {counted(visible.length - 3, "more anomaly", "more anomalies")}</li>}
        </ul>
      )}
    </section>
  );
}

function Readout({ series, stepSeconds }: { series: ChartSeries; stepSeconds: number }) {
  const at = useCrosshair();
  const wanted = usePreferences();
  if (series.times.length === 0) return null;
  const index = at === undefined ? series.times.length - 1 : nearest(series.times, at - stepSeconds / 2);
  const time = series.times[index] ?? 0;
  return (
    <span className="text-right text-sm whitespace-nowrap tabular-nums" data-testid="readout">
      <span className="font-semibold">{reading(series, index, wanted)}</span>
      <span className="ml-2 text-soft">{stepSeconds < 60 ? preciseMoment(time) : moment(time)}</span>
    </span>
  );
}
