// What moves with what, as a grid in clustered order. Colour tells direction and strength (blue against orange, safe for
// colour-blind eyes), hatching tells what is too weak to rely on. A column is headed by the number that its metric has
// among the rows. Arrow keys walk the grid.
import { memo, useMemo, useRef, useState } from "react";
import type { KeyboardEvent } from "react";
import type { Correlations } from "../api/queries";

const WEAK = 0.5;

export type Cell = Correlations["cells"][number];

interface HeatmapProps {
  readonly data: Correlations;
  readonly chosen: Cell | undefined;
  readonly onChoose: (cell: Cell) => void;
}

export function cellColour(coefficient: number): string {
  const end = coefficient < 0 ? "var(--cold)" : "var(--warm)";
  return `color-mix(in oklab, ${end} ${Math.round(Math.abs(coefficient) * 100)}%, var(--middle))`;
}

/** The metrics that have a partner, in clustered order, and the cell of each pair of their places. */
export function gridOf(data: Correlations, most: number): { places: number[]; cells: Map<string, Cell> } {
  const partnered = new Set(data.cells.flatMap((cell) => [cell.a, cell.b]));
  const places = data.metrics.flatMap((_, index) => (partnered.has(index) ? [index] : [])).slice(0, most);
  return { places, cells: new Map(data.cells.map((cell) => [`${cell.a}:${cell.b}`, cell])) };
}

export const CorrelationHeatmap = memo(function CorrelationHeatmap({ data, chosen, onChoose }: HeatmapProps) {
  const { places, cells } = useMemo(() => gridOf(data, 48), [data]);
  const grid = useRef<HTMLDivElement>(null);
  const [focus, setFocus] = useState<readonly [number, number]>([1, 0]);
  const find = (row: number, column: number): Cell | undefined => {
    const [a, b] = [places[Math.min(row, column)] ?? -1, places[Math.max(row, column)] ?? -1];
    return cells.get(`${a}:${b}`);
  };
  const title = (place: number) => data.metrics[places[place] ?? -1]?.title ?? "";

  const move = (event: KeyboardEvent) => {
    const steps: Record<string, readonly [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const row = Math.min(places.length - 1, Math.max(1, focus[0] + step[0]));
    const column = Math.min(row - 1, Math.max(0, focus[1] + step[1]));
    setFocus([row, column]);
    grid.current?.querySelector<HTMLElement>(`[data-cell="${row}:${column}"]`)?.focus();
  };

  if (places.length < 2) return null;
  return (
    <div className="overflow-x-auto pb-2">
      <div
        ref={grid}
        role="grid"
        aria-label="Correlations"
        tabIndex={-1}
        onKeyDown={move}
        className="grid gap-0.5 text-xs [--cell:0.75rem] pointer-coarse:[--cell:1.5rem]"
        // The names first, then cells as wide as there is room for: narrow rather than unseen, but never too narrow for a
        // finger (then the grid scrolls under its names).
        style={{ gridTemplateColumns: `max-content repeat(${places.length - 1}, minmax(var(--cell), 1.5rem))` }}
      >
        <div role="row" className="contents">
          <div role="columnheader" className="sticky left-0 z-10 bg-surface" style={{ gridRow: 1, gridColumn: 1 }}>
            <span className="sr-only">Metric</span>
          </div>
          {places.slice(0, -1).map((place, column) => (
            <div role="columnheader" key={place} aria-label={title(column)} title={title(column)} className="flex justify-center text-[0.625rem] tracking-tighter whitespace-nowrap text-soft tabular-nums" style={{ gridRow: 1, gridColumn: column + 2 }}>
              {column + 1}
            </div>
          ))}
        </div>
        {places.map((place, row) => (
          <div role="row" key={place} className="contents">
            <div
              role="rowheader"
              aria-label={title(row)}
              className="sticky left-0 z-10 flex h-7 max-w-34 items-center gap-1.5 bg-surface pr-1.5 leading-3.5 text-soft sm:max-w-60"
              style={{ gridRow: row + 2, gridColumn: 1 }}
              title={title(row)}
            >
              <span className="min-w-4 text-right text-[0.625rem] tabular-nums">{row + 1}</span>
              <span className="line-clamp-2 wrap-anywhere max-sm:text-[0.6875rem]">{title(row)}</span>
            </div>
            {Array.from({ length: row }, (_unused, column) => {
              const cell = find(row, column);
              const weak = cell === undefined || Math.abs(cell.coefficient) < WEAK;
              const text =
                cell === undefined
                  ? `${title(row)} and ${title(column)}: no clear relation`
                  : `${cell.text}, r ${cell.coefficient.toFixed(2)}, ${cell.samples} points`;
              return (
                <div
                  role="gridcell"
                  key={column}
                  data-cell={`${row}:${column}`}
                  tabIndex={focus[0] === row && focus[1] === column ? 0 : -1}
                  aria-label={text}
                  aria-selected={cell !== undefined && cell === chosen}
                  aria-disabled={cell === undefined}
                  title={text}
                  onFocus={() => setFocus([row, column])}
                  onClick={() => cell !== undefined && onChoose(cell)}
                  onKeyDown={(event) => {
                    if (cell !== undefined && (event.key === "Enter" || event.key === " ")) {
                      event.preventDefault();
                      onChoose(cell);
                    }
                  }}
                  className={`h-7 rounded-sm ${cell === undefined ? "" : "cursor-pointer"} ${cell !== undefined && cell === chosen ? "outline-2 outline-ink" : ""}`}
                  style={{ gridRow: row + 2, gridColumn: column + 2, background: cell === undefined ? undefined : cellColour(cell.coefficient) }}
                >
                  {weak && <span aria-hidden="true" className="hatched block size-full rounded-sm" />}
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
});

export function Legend() {
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2 text-xs text-soft">
      {([[-0.9, "moves against"], [0.9, "moves with"]] as const).map(([strength, text]) => (
        <span key={text} className="inline-flex items-center gap-2">
          <span aria-hidden="true" className="size-4 rounded-sm" style={{ background: cellColour(strength) }} />
          {text}
        </span>
      ))}
      <span className="inline-flex items-center gap-2">
        <span aria-hidden="true" className="hatched size-4 rounded-sm border" />
        weak or no clear relation
      </span>
    </div>
  );
}
