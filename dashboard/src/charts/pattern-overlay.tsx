// Today on top of what a day usually looks like: median and quartiles by hour.
import { memo, useMemo } from "react";
import { Area, CartesianGrid, ComposedChart, Line, XAxis, YAxis } from "recharts";
import type { Cycle } from "../api/queries";
import { useSize } from "../lib/hooks";
import { usePreferences } from "../lib/preferences";
import { conversion } from "../lib/units";
import { valueAxis } from "./value-axis";

export const PatternOverlay = memo(function PatternOverlay({ cycle, height }: { cycle: Cycle; height: number }) {
  const wanted = usePreferences();
  const [sizer, { width }] = useSize();
  const rows = useMemo(() => {
    const of = conversion(cycle.unit, wanted)?.of ?? ((value: number) => value);
    const known = (value: number | null) => (value === null ? null : of(value));
    return cycle.hours.map((each) => ({
      hour: each.hour + 0.5,
      band: each.low === null || each.high === null ? null : [of(each.low), of(each.high)],
      middle: known(each.middle),
      today: known(each.today),
    }));
  }, [cycle, wanted]);
  const values = rows.flatMap((row) => [...(row.band ?? []), row.middle, row.today].filter((each) => each !== null));
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = (high - low || 1) * 0.08;
  const domain = [low - pad, high + pad] as const;
  return (
    <div ref={sizer} style={{ height }} role="img" aria-label={cycle.text} data-testid="pattern-overlay">
      {width > 0 && values.length > 0 && (
        <ComposedChart width={width} height={height} data={rows} margin={{ top: 8, right: 12, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis
            dataKey="hour"
            type="number"
            domain={[0, 24]}
            ticks={[0, 3, 6, 9, 12, 15, 18, 21, 24]}
            tickFormatter={(hour: number) => `${String(hour % 24).padStart(2, "0")}:00`}
            height={24}
            tick={{ fill: "var(--soft)", fontSize: 12 }}
            stroke="var(--line)"
            tickLine={false}
          />
          <YAxis {...valueAxis(domain, height)} />
          <Area dataKey="band" type="monotone" stroke="none" fill="var(--series-3)" fillOpacity={0.22} isAnimationActive={false} activeDot={false} />
          <Line dataKey="middle" type="monotone" stroke="var(--series-3)" strokeWidth={1.5} strokeDasharray="6 4" dot={false} activeDot={false} isAnimationActive={false} />
          <Line dataKey="today" type="monotone" stroke="var(--series-1)" strokeWidth={2.5} dot={false} activeDot={false} isAnimationActive={false} />
        </ComposedChart>
      )}
    </div>
  );
});
