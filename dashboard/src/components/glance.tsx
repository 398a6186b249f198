// The groups of the overview: battery, tanks, climate, power flow, and the rest as rows.
import { Link } from "wouter";
import type { ReactNode } from "react";
import type { ChartSeries, PowerNode, Tile, TileGroup } from "../api/queries";
import { trendsLink } from "../lib/links";
import { cx } from "./parts";
import { LevelMark, Reading, StaleMark, TileRow, useTileValue } from "./tile";

export interface Histories {
  readonly series: ReadonlyMap<string, ChartSeries>;
  readonly range: readonly [number, number] | undefined;
}

export function GroupCard({ title, children, className }: { title: string; children: ReactNode; className?: string }) {
  return (
    <section aria-label={title} className={cx("card h-full p-4 sm:p-5", className)}>
      <h2 className="mb-3 px-1 text-sm font-semibold text-soft">{title}</h2>
      {children}
    </section>
  );
}

function Rows({ tiles, histories }: { tiles: readonly Tile[]; histories: Histories }) {
  return (
    <div className="space-y-0.5">
      {tiles.map((tile) => (
        <TileRow key={tile.metric} tile={tile} history={histories.series.get(tile.metric)} range={histories.range} />
      ))}
    </div>
  );
}

function Charge({ tile }: { tile: Tile }) {
  const { value } = useTileValue(tile);
  const share = Math.max(0, Math.min(100, value ?? 0));
  return (
    <Link href={trendsLink({ metrics: [tile.metric] })} className="mb-2 block rounded-lg px-2 py-1 hover:bg-raised">
      <div className="flex items-baseline justify-between gap-3">
        <Reading tile={tile} large />
        <span className="text-right text-sm text-soft">
          {tile.title}
          <LevelMark tile={tile} />
          <span className="block">
            <StaleMark tile={tile} />
          </span>
        </span>
      </div>
      <svg aria-hidden="true" viewBox="0 0 100 3" preserveAspectRatio="none" className="mt-2 h-2.5 w-full rounded-full">
        <rect width="100" height="3" fill="var(--raised)" />
        <rect
          width={share}
          height="3"
          fill={tile.level === "critical" ? "var(--critical)" : tile.level === "warning" ? "var(--warning)" : "var(--good)"}
        />
        {tile.low !== null && <rect x={tile.low} width="0.5" height="3" fill="var(--soft)" />}
      </svg>
    </Link>
  );
}

function Tank({ tile }: { tile: Tile }) {
  const { value } = useTileValue(tile);
  const share = Math.max(0, Math.min(100, value ?? 0));
  const limit = tile.low ?? tile.high;
  const fill =
    tile.level === "critical" ? "var(--critical)"
    : tile.level === "warning" ? "var(--warning)"
    : tile.role === "waste_tank" ? "var(--soft)"
    : "var(--series-3)"; // prettier-ignore
  return (
    <Link
      href={trendsLink({ metrics: [tile.metric], from: -7 * 86_400 })}
      className="flex min-w-18 flex-1 flex-col items-center gap-1.5 rounded-lg px-1 py-2 text-center hover:bg-raised"
    >
      <svg aria-hidden="true" viewBox="0 0 36 72" className="h-24 w-12">
        <rect x="1" y="1" width="34" height="70" rx="8" fill="var(--raised)" stroke="var(--line)" />
        <clipPath id={`tank-${tile.metric}`}>
          <rect x="3" y="3" width="30" height="66" rx="6" />
        </clipPath>
        <rect
          x="3"
          y={3 + 66 * (1 - share / 100)}
          width="30"
          height={66 * (share / 100)}
          fill={fill}
          clipPath={`url(#tank-${CSS.escape(tile.metric)})`}
        />
        {limit !== null && (
          <line x1="3" x2="33" y1={3 + 66 * (1 - limit / 100)} y2={3 + 66 * (1 - limit / 100)} stroke="var(--ink)" strokeDasharray="2 3" opacity="0.7" />
        )}
      </svg>
      <Reading tile={tile} />
      <span className="text-xs leading-tight text-soft">{tile.title}</span>
      <LevelMark tile={tile} />
      <StaleMark tile={tile} />
    </Link>
  );
}

export function BatteryCard({ group, histories }: { group: TileGroup; histories: Histories }) {
  const charge = group.tiles.find((tile) => tile.role.startsWith("battery_soc") && tile.unit === "%");
  return (
    <GroupCard title={group.title}>
      {charge !== undefined && <Charge tile={charge} />}
      <Rows tiles={group.tiles.filter((tile) => tile !== charge)} histories={histories} />
    </GroupCard>
  );
}

export function TanksCard({ group, histories }: { group: TileGroup; histories: Histories }) {
  const levels = group.tiles.filter((tile) => tile.unit === "%");
  const rest = group.tiles.filter((tile) => tile.unit !== "%");
  return (
    <GroupCard title={group.title}>
      <div className="flex flex-wrap justify-around gap-y-2">
        {levels.map((tile) => (
          <Tank key={tile.metric} tile={tile} />
        ))}
      </div>
      <Rows tiles={rest} histories={histories} />
    </GroupCard>
  );
}

export function RowsCard({ group, histories }: { group: TileGroup; histories: Histories }) {
  return (
    <GroupCard title={group.title}>
      <Rows tiles={group.tiles} histories={histories} />
    </GroupCard>
  );
}

const watts = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function PowerCard({ nodes }: { nodes: readonly PowerNode[] }) {
  const most = Math.max(100, ...nodes.map((node) => Math.abs(node.watts)));
  return (
    <GroupCard title="Power flow">
      <ul className="space-y-0.5">
        {nodes.map((node) => (
          <li key={node.node}>
            <Link
              href={trendsLink({ metrics: node.metrics.slice(0, 6) })}
              className="grid min-h-14 grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1 rounded-lg px-2 py-1.5 hover:bg-raised"
            >
              <span className="min-w-0">
                <span className="block text-sm">{node.title}</span>
                <span className="block text-xs text-soft">{node.text}</span>
              </span>
              <span className="text-right text-lg font-semibold whitespace-nowrap tabular-nums">
                {watts.format(Math.abs(node.watts))}
                <span className="ml-1 text-sm font-normal text-soft">W</span>
              </span>
              <svg aria-hidden="true" viewBox="0 0 200 4" preserveAspectRatio="none" className="col-span-2 h-1.5 w-full">
                <rect x="0" width="200" height="4" rx="2" fill="var(--raised)" />
                {/* What gives grows to the right of the middle, what takes to the left. */}
                <rect
                  x={node.watts < 0 ? 100 - (100 * -node.watts) / most : 100}
                  width={(100 * Math.abs(node.watts)) / most}
                  height="4"
                  fill={node.watts < 0 ? "var(--series-2)" : "var(--good)"}
                />
                <rect x="99.5" width="1" height="4" fill="var(--soft)" />
              </svg>
            </Link>
          </li>
        ))}
      </ul>
      <p className="mt-2 flex justify-between px-2 text-xs text-soft">
        <span>← takes</span>
        <span>gives →</span>
      </p>
    </GroupCard>
  );
}
