// One metric over time: expected band, envelope, line, limits, anomalies and insights. Recharts draws line and axes;
// ranges and limits lie under it, and what moves with the hand (crosshair, selection) over it, and costs it no drawing.
import { memo, useMemo } from "react";
import type { RefObject } from "react";
import { Line, LineChart, XAxis, YAxis } from "recharts";
import type { ChartSeries } from "../api/queries";
import { useSize } from "../lib/hooks";
import { usePreferences } from "../lib/preferences";
import { conversion, shown } from "../lib/units";
import { MarksLayer } from "./marks-layer";
import { ChartOverlay } from "./overlay";
import { RangeLayer } from "./range-layer";
import { Ribbon } from "./ribbon";
import { rowsOf, valueDomain } from "./rows";
import type { Tail } from "./rows";
import { AXIS_HEIGHT as BOTTOM, timeAxis } from "./time-axis";
import { AXIS_WIDTH as LEFT, valueAxis } from "./value-axis";
import type { Span } from "./window";

export const RIGHT = 12;
const TOP = 8;

export interface TrendChartProps {
  readonly series: ChartSeries;
  readonly stepSeconds: number;
  readonly span: Span;
  readonly colour: string;
  readonly height: number;
  readonly tail?: readonly Tail[];
  readonly shade?: Span | undefined;
  readonly target?: RefObject<Span | undefined>; // what was asked for last, while its data are on their way
  readonly onZoom?: ((span: Span | undefined) => void) | undefined;
}

const NO_TAIL: readonly Tail[] = [];

export const TrendChart = memo(function TrendChart(props: TrendChartProps) {
  const { series, stepSeconds, span, colour, height, tail = NO_TAIL, shade, target, onZoom } = props;
  const wanted = usePreferences();
  const [sizer, { width }] = useSize();
  const { start, end } = span;
  const convert = conversion(series.unit, wanted)?.of;
  const rows = useMemo(() => rowsOf(series, stepSeconds, tail, convert), [series, stepSeconds, tail, convert]);
  const limits = useMemo(
    () => [series.low, series.high].map((limit) => (limit === null || convert === undefined ? limit : convert(limit))),
    [series.low, series.high, convert],
  );
  const visible = useMemo(
    () => rows.filter((row) => row.t >= start - stepSeconds && row.t <= end + stepSeconds),
    [rows, start, end, stepSeconds],
  );
  const domain = useMemo(() => valueDomain(visible, limits), [visible, limits]);
  const axis = useMemo(() => valueAxis(domain, height), [domain, height]);
  const plot = { span, domain, left: LEFT, top: TOP, width: width - LEFT - RIGHT, height: height - TOP - BOTTOM };
  return (
    <div ref={sizer} className="relative select-none" style={{ height: height + 10 }} data-testid="trend-chart">
      {width > 0 && (
        <>
          <RangeLayer rows={visible} marks={axis.ticks} limits={limits} colour={colour} {...plot} />
          <LineChart
            width={width}
            height={height}
            data={visible}
            margin={{ top: TOP, right: RIGHT, bottom: 0, left: 0 }}
            accessibilityLayer={false}
          >
            <XAxis {...timeAxis(span, plot.width, RIGHT)} />
            <YAxis {...axis} />
            <Line
              dataKey="v"
              type={series.kind === "state" ? "stepAfter" : "linear"}
              stroke={colour}
              strokeWidth={1.75}
              dot={false}
              activeDot={false}
              isAnimationActive={false}
              connectNulls={false}
            />
          </LineChart>
          <MarksLayer series={series} stepSeconds={stepSeconds} convert={convert} shade={shade} {...plot} />
          <Ribbon series={series} stepSeconds={stepSeconds} span={span} left={LEFT} width={width - LEFT - RIGHT} />
          <ChartOverlay
            label={series.title}
            times={series.times}
            stepSeconds={stepSeconds}
            span={span}
            target={target}
            left={LEFT}
            right={RIGHT}
            height={height}
            onZoom={onZoom}
          />
        </>
      )}
    </div>
  );
});

/** The value under the crosshair, or the latest one. */
export function reading(series: ChartSeries, index: number, wanted: Parameters<typeof shown>[2]): string {
  const value = series.values[index];
  const { number, unit } = shown(value, series.unit, wanted);
  return unit === "" ? number : `${number} ${unit}`;
}
