// Two metrics over each other, each on its own axis.
import { memo, useMemo } from "react";
import { CartesianGrid, ComposedChart, Line, XAxis, YAxis } from "recharts";
import type { ChartsResponse } from "../api/queries";
import { useSize } from "../lib/hooks";
import { usePreferences } from "../lib/preferences";
import { conversion } from "../lib/units";
import { rowsOf, valueDomain } from "./rows";
import { timeAxis } from "./time-axis";
import { AXIS_WIDTH, valueAxis } from "./value-axis";

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
    <div data-testid="pair-chart">
      <p className="flex justify-between px-1 text-xs text-soft">
        {both.map((series) => (
          <span key={series.metric}>{conversion(series.unit, wanted)?.to ?? series.unit}</span>
        ))}
      </p>
      <div ref={sizer} style={{ height }}>
        {width > 0 && (
          <ComposedChart width={width} height={height} margin={{ top: 8, right: 0, bottom: 0, left: 0 }} accessibilityLayer={false}>
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis {...timeAxis(data, width - 2 * AXIS_WIDTH, AXIS_WIDTH)} />
            {drawn.map((rows, index) => (
              <YAxis
                key={index}
                yAxisId={index}
                orientation={index === 0 ? "left" : "right"}
                {...valueAxis(valueDomain(rows, []), height, COLOURS[index])}
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
    </div>
  );
});
