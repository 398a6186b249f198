// The chart as a table: the same rows in the same order as the CSV, numbers in the reader's units as in the chart. (The
// CSV is for other programs: it has the service's units.)
import type { ChartSeries } from "../api/queries";
import { usePreferences } from "../lib/preferences";
import { preciseMoment } from "../lib/times";
import { conversion } from "../lib/units";

const DIGITS = 7; // significant ones: more than a sensor has, fewer than binary fractions show

export function ChartTable({ series }: { series: ChartSeries }) {
  const change = conversion(series.unit, usePreferences());
  const unit = change?.to ?? series.unit;
  const of = (value: number | undefined) => (value === undefined || change === undefined ? value : Number(change.of(value).toPrecision(DIGITS)));
  return (
    <div className="relative max-h-96 overflow-auto rounded-lg border print:max-h-none print:overflow-visible" tabIndex={0} role="region" aria-label={`Values of ${series.title}`}>
      <table className="w-full text-sm tabular-nums">
        <caption className="sr-only">{series.title}</caption>
        <thead className="sticky top-0 bg-raised text-left text-soft">
          <tr>
            <th scope="col" className="px-3 py-2 font-medium">Time</th>
            {[`Mean${unit === null ? "" : ` (${unit})`}`, "Lowest", "Highest", "Samples"].map((name) => (
              <th key={name} scope="col" className="px-3 py-2 text-right font-medium">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {series.times.map((time, index) => (
            <tr key={time} data-time={time} className="border-t">
              <th scope="row" className="px-3 py-1 text-left font-normal whitespace-nowrap text-soft">{preciseMoment(time)}</th>
              <td className="px-3 py-1 text-right">{of(series.values[index])}</td>
              <td className="px-3 py-1 text-right">{of(series.mins[index])}</td>
              <td className="px-3 py-1 text-right">{of(series.maxs[index])}</td>
              <td className="px-3 py-1 text-right">{series.counts[index]}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {series.times.length === 0 && <p className="px-3 py-4 text-sm text-soft">No values in this range.</p>}
    </div>
  );
}
