// What is marked on a chart: spans that were unusual, their worst points, insights, the span in question. One drawing of
// our own over the chart's: as components of Recharts each would be laid out anew at every zoom.
import { memo } from "react";
import type { ChartSeries } from "../api/queries";
import type { Span } from "./window";

interface MarksLayerProps {
  readonly series: ChartSeries;
  readonly stepSeconds: number;
  readonly span: Span;
  readonly domain: readonly [number, number];
  readonly convert: ((value: number) => number) | undefined;
  readonly shade: Span | undefined;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const MarksLayer = memo(function MarksLayer(props: MarksLayerProps) {
  const { series, stepSeconds, span, domain, convert, shade, left, top, width, height } = props;
  if (width <= 0 || height <= 0) return null;
  const x = (time: number) => ((time - span.start) / (span.end - span.start)) * width;
  const y = (value: number) => (1 - ((convert?.(value) ?? value) - domain[0]) / (domain[1] - domain[0])) * height;
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
          <circle key={each.timestamp} cx={x(each.timestamp + stepSeconds / 2)} cy={y(each.value)} r={4} fill="var(--critical)" stroke="var(--surface)" />
        ))}
    </svg>
  );
});
