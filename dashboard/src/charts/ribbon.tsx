// The anomaly ribbon under a chart: how unusual each moment was, from nothing to glaring.
import { memo } from "react";
import type { ChartSeries } from "../api/queries";
import type { Span } from "./window";

const FAINTEST = 0.12; // a score below it is nothing worth a mark

interface RibbonProps {
  readonly series: ChartSeries;
  readonly stepSeconds: number;
  readonly span: Span;
  readonly left: number;
  readonly width: number;
}

export const Ribbon = memo(function Ribbon({ series, stepSeconds, span, left, width }: RibbonProps) {
  const scale = width / (span.end - span.start);
  const marks = series.scores.flatMap((score, index) => {
    const time = series.times[index] ?? 0;
    if (score < FAINTEST || time + stepSeconds < span.start || time > span.end) return [];
    const x = Math.max(0, (time - span.start) * scale);
    return [
      <rect key={time} x={x} width={Math.max(1.5, Math.min(stepSeconds * scale, width - x))} height="6" fill="var(--critical)" opacity={Math.min(1, score)} />,
    ];
  });
  const count = series.anomalies.filter((each) => each.end >= span.start && each.start <= span.end).length;
  return (
    <svg
      role="img"
      aria-label={count === 0 ? "No anomalies in this range" : `${count} ${count === 1 ? "anomaly" : "anomalies"} in this range`}
      width={width}
      height="6"
      className="absolute bottom-0 rounded-full"
      style={{ left }}
    >
      <rect width={width} height="6" fill="var(--raised)" />
      {marks}
    </svg>
  );
});
