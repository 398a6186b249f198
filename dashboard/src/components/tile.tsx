// One metric of the glance: its value as it is now, how it went, and whether that can still be believed.
import { memo } from "react";
import { Link } from "wouter";
import { Clock } from "lucide-react";
import type { ChartSeries, Tile } from "../api/queries";
import { useLive } from "../live/values";
import { useNow } from "../lib/hooks";
import { trendsLink } from "../lib/links";
import { usePreferences } from "../lib/preferences";
import { ago } from "../lib/times";
import { shown, stateText } from "../lib/units";
import { cx } from "./parts";
import { Spark } from "./spark";

export interface TileProps {
  readonly tile: Tile;
  readonly history: ChartSeries | undefined;
  readonly range: readonly [number, number] | undefined;
}

/** The value as it is now: the live one, else what the overview said. */
export function useTileValue(tile: Tile): { value: number | null; timestamp: number | null; stale: boolean } {
  const live = useLive(tile.metric);
  const now = useNow(10);
  const newer = live !== undefined && live.timestamp >= (tile.timestamp ?? 0);
  const value = newer ? live.value : tile.value;
  const timestamp = newer ? live.timestamp : tile.timestamp;
  const stale =
    tile.stale_after_seconds !== null && timestamp !== null && now - timestamp > tile.stale_after_seconds;
  return { value, timestamp, stale };
}

export function Reading({ tile, className, large = false }: { tile: Tile; className?: string; large?: boolean }) {
  const wanted = usePreferences();
  const { value, stale } = useTileValue(tile);
  const text = tile.kind === "state" && value !== null ? { number: stateText(value), unit: "" } : shown(value, tile.unit, wanted);
  return (
    <span data-metric={tile.metric} className={cx("tabular-nums", stale && "opacity-60", className)}>
      <span className={cx("font-semibold whitespace-nowrap", large ? "text-4xl tracking-tight" : "text-lg")}>{text.number}</span>
      {text.unit !== "" && <span className={cx("wrap-anywhere text-soft", large ? "text-lg" : "text-sm")}> {text.unit}</span>}
    </span>
  );
}

export function StaleMark({ tile }: { tile: Tile }) {
  const { stale, timestamp } = useTileValue(tile);
  const now = useNow(10);
  if (!stale || timestamp === null) return null;
  return (
    <span className="inline-flex items-center gap-1 text-xs text-warning">
      <Clock aria-hidden="true" className="size-3.5" />
      last heard {ago(now - timestamp)}
    </span>
  );
}

const LEVELS = { ok: "", unknown: "", warning: "text-warning", critical: "text-critical" } as const;

/** Says in words what the colour says. Nothing within the limits, or where there are none. */
export function LevelMark({ tile }: { tile: Tile }) {
  if (tile.level === "ok" || tile.level === "unknown") return null;
  return (
    <span className={cx("block text-xs font-medium", LEVELS[tile.level])}>
      {tile.level === "critical" ? "far outside its limits" : "outside its limits"}
    </span>
  );
}

export const TileRow = memo(function TileRow({ tile, history, range }: TileProps) {
  return (
    <Link
      href={trendsLink({ metrics: [tile.metric] })}
      className="group grid min-h-14 grid-cols-[minmax(6rem,1fr)_minmax(0,5.5rem)_minmax(4.75rem,auto)] items-center gap-3 rounded-lg px-2 py-1.5 hover:bg-raised"
    >
      <span className="min-w-0">
        <span className="block text-sm leading-snug">{tile.title}</span>
        <StaleMark tile={tile} />
        <LevelMark tile={tile} />
      </span>
      {history !== undefined && range !== undefined ? (
        <Spark
          times={history.times}
          values={history.values}
          gaps={history.gaps}
          start={range[0]}
          end={range[1]}
          className="h-8 w-full text-soft group-hover:text-accent"
        />
      ) : (
        <span aria-hidden="true" />
      )}
      <Reading tile={tile} className={cx("text-right", LEVELS[tile.level])} />
    </Link>
  );
});
