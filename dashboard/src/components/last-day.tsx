// The last 24 hours of what a card is about, with the limits it is held against and the time it is about.
import type { ChartSeries } from "../api/queries";
import { Spark } from "./spark";
import type { SparkProps } from "./spark";

export interface LastDayProps extends Pick<SparkProps, "limits" | "shade"> {
  readonly history: ChartSeries | undefined;
  readonly range: readonly [number, number] | undefined;
  readonly note: string | undefined;
}

export function LastDay({ history, range, note, limits, shade }: LastDayProps) {
  if (history === undefined || range === undefined || history.values.length < 2) return null;
  return (
    <div className="mt-3">
      <Spark
        times={history.times}
        values={history.values}
        gaps={history.gaps}
        start={range[0]}
        end={range[1]}
        limits={limits ?? []}
        shade={shade}
        className="h-20 w-full text-accent"
      />
      <p className="mt-1 flex justify-between text-xs text-soft">
        <span>24 hours</span>
        <span>{note}</span>
      </p>
    </div>
  );
}
