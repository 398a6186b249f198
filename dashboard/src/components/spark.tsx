// A line so small that it needs no axes: the last day of one metric. Plain SVG, so that the first view needs no charts.
import { memo } from "react";

export interface SparkProps {
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly start: number;
  readonly end: number;
  readonly shade?: { readonly start: number; readonly end: number } | undefined;
  readonly limits?: readonly (number | null)[];
  readonly gaps?: readonly (readonly number[])[];
  readonly className?: string;
}

const WIDTH = 240;
const HEIGHT = 48;
const PAD = 3;

/** The path of a line through the points; it is broken where a gap lies between two of them. */
export function linePath(
  points: readonly (readonly [number, number])[],
  times: readonly number[],
  gaps: readonly (readonly number[])[],
): string {
  let path = "";
  let next = 0;
  for (const [index, [x, y]] of points.entries()) {
    const time = times[index] ?? 0;
    let broken = index === 0;
    while (next < gaps.length && (gaps[next]?.[1] ?? 0) <= time) {
      broken = true;
      next += 1;
    }
    path += `${broken ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
  }
  return path;
}

export const Spark = memo(function Spark(props: SparkProps) {
  const { times, values, start, end, shade, limits = [], gaps = [], className } = props;
  if (values.length < 2) return <div aria-hidden="true" className={className} />;
  let low = Math.min(...values);
  let high = Math.max(...values);
  for (const limit of limits) {
    if (limit === null) continue;
    low = Math.min(low, limit);
    high = Math.max(high, limit);
  }
  const room = high - low || Math.max(1, Math.abs(high)) * 0.1;
  const x = (time: number) => ((time - start) / (end - start || 1)) * WIDTH;
  const y = (value: number) =>
    high === low ? HEIGHT / 2 : HEIGHT - PAD - ((value - low) / room) * (HEIGHT - 2 * PAD);
  const points = values.map((value, index) => [x(times[index] ?? start), y(value)] as const);
  return (
    <svg
      aria-hidden="true"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={className}
      data-testid="spark"
    >
      {shade !== undefined && (
        <rect
          x={Math.max(0, x(shade.start))}
          width={Math.max(2, Math.min(WIDTH, x(shade.end)) - Math.max(0, x(shade.start)))}
          height={HEIGHT}
          fill="var(--warning)"
          opacity="0.18"
        />
      )}
      {limits.map(
        (limit, index) =>
          limit !== null && (
            <line
              key={index}
              x1="0"
              x2={WIDTH}
              y1={y(limit)}
              y2={y(limit)}
              stroke="var(--warning)"
              strokeDasharray="4 4"
              vectorEffect="non-scaling-stroke"
            />
          ),
      )}
      <path
        d={linePath(points, times, gaps)}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.75"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
});
