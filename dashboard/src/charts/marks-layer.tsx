// What is marked on a chart: spans that were unusual, their worst points, insights, the span in question. One drawing of
// our own over the chart's: as components of Recharts each would be laid out anew at every zoom.
import { memo } from "react";
import type { ChartSeries } from "../api/queries";
import { scales } from "./plot";
import type { Plot } from "./plot";
import type { Span } from "./window";

interface MarksLayerProps extends Plot {
  readonly series: ChartSeries;
  readonly stepSeconds: number;
  readonly convert: ((value: number) => number) | undefined;
  readonly shade: Span | undefined;
}

export const MarksLayer = memo(function MarksLayer(props: MarksLayerProps) {
  const { series, stepSeconds, span, convert, shade, left, top, width, height } = props;
  if (width <= 0 || height <= 0) return null;
  const { x, y } = scales(props);
  const band = ({ start, end }: Span) => {
    const from = Math.max(0, x(start));
    return { x: from, width: Math.max(1, Math.min(width, x(end)) - from), y: 0, height };
  };
  const unusual = series.anomalies.filter((each) => each.end >= span.start && each.start <= span.end);
  return (
    <svg aria-hidden="true" className="pointer-events-none absolute" style={{ left, top }} width={width} height={height}>
      {shade !== undefined && shade.end > span.start && shade.start < span.end && <rect {...band(shade)} fill="var(--warning)" fillOpacity={0.16} />}
      {unusual.map((each) => (
        <rect key={each.start} {...band(each)} fill="var(--critical)" fillOpacity={0.18} data-mark="unusual" />
      ))}
      {series.notes
        .filter((note) => note.start >= span.start && note.start <= span.end)
        .map((note) => (
          <line key={note.insight_id} x1={x(note.start)} x2={x(note.start)} y1={0} y2={height} stroke="var(--warning)" strokeWidth={1.5} data-mark="insight" />
        ))}
      {unusual
        .filter((each) => each.timestamp >= span.start && each.timestamp <= span.end)
        .map((each) => (
          <circle key={each.timestamp} cx={x(each.timestamp + stepSeconds / 2)} cy={y(convert?.(each.value) ?? each.value)} r={4} fill="var(--critical)" stroke="var(--surface)" />
        ))}
    </svg>
  );
});
