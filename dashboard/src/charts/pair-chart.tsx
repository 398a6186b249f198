// Two metrics over each other, each on its own axis.
import { memo, useMemo } from "react";
import { CartesianGrid, ComposedChart, Line, XAxis, YAxis } from "recharts";
import type { ChartsResponse } from "../api/queries";
import { useSize } from "../lib/hooks";
import { usePreferences } from "../lib/preferences";
import { axisLabel, ticks } from "../lib/times";
import { conversion } from "../lib/units";
import { rowsOf, valueDomain } from "./rows";

const COLOURS = ["var(--series-1)", "var(--series-2)"] as const;

export const PairChart = memo(function PairChart({ data, height }: { data: ChartsResponse; height: number }) {
  const wanted = usePreferences();
  const [sizer, { width }] = useSize();
  const both = data.series.slice(0, 2);
  const drawn = useMemo(
    () => both.map((series) => rowsOf(series, data.step_seconds, [], conversion(series.unit, wanted)?.of)),
    [data, wanted], // eslint-disable-line react-hooks/exhaustive-deps -- `both` is of `data`
  );
  return (
    <div ref={sizer} style={{ height }} data-testid="pair-chart">
      {width > 0 && (
        <ComposedChart width={width} height={height} margin={{ top: 8, right: 0, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis
            dataKey="t"
            type="number"
            domain={[data.start, data.end]}
            ticks={ticks(data.start, data.end, Math.max(2, Math.floor(width / 96)))}
            tickFormatter={(time: number) => axisLabel(time, data.end - data.start)}
            allowDataOverflow
            height={24}
            tick={{ fill: "var(--soft)", fontSize: 12 }}
            stroke="var(--line)"
            tickLine={false}
          />
          {drawn.map((rows, index) => (
            <YAxis
              key={index}
              yAxisId={index}
              orientation={index === 0 ? "left" : "right"}
              domain={valueDomain(rows, [])}
              width={48}
              tickFormatter={(value: number) => String(Number(value.toPrecision(3)))}
              tick={{ fill: COLOURS[index] ?? "var(--soft)", fontSize: 12 }}
              axisLine={false}
              tickLine={false}
            />
          ))}
          {drawn.map((rows, index) => (
            <Line
              key={index}
              yAxisId={index}
              data={rows}
              dataKey="v"
              stroke={COLOURS[index] ?? "var(--accent)"}
              strokeWidth={1.75}
              {...(index === 1 ? { strokeDasharray: "6 3" } : {})}
              dot={false}
              activeDot={false}
              isAnimationActive={false}
            />
          ))}
        </ComposedChart>
      )}
    </div>
  );
});
