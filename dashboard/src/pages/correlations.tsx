// What moves together. Moving together is no cause, and the page says so.
import { useQuery } from "@tanstack/react-query";
import { Grid3x3 } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import type { RefObject } from "react";
import { Link, useLocation } from "wouter";
import { chartsQuery, correlationsQuery } from "../api/queries";
import type { Correlations } from "../api/queries";
import { CorrelationHeatmap, Legend, cellColour } from "../charts/correlation-heatmap";
import type { Cell } from "../charts/correlation-heatmap";
import { PairChart } from "../charts/pair-chart";
import { Choice, Empty, Failed, PageHeader, Skeleton } from "../components/parts";
import { useQueryString, useTitle } from "../lib/hooks";
import { trendsLink } from "../lib/links";
import { reveal } from "../lib/reveal";
import { span } from "../lib/times";

const WINDOWS = [["24", "24 h"], ["168", "7 days"], ["720", "30 days"]] as const;
const LISTED = 8;

export default function CorrelationsPage() {
  useTitle("Together");
  const query = new URLSearchParams(useQueryString());
  const [, navigate] = useLocation();
  const hours = WINDOWS.find(([each]) => each === query.get("hours"))?.[0] ?? "168";
  const { data, error, refetch } = useQuery(correlationsQuery(Number(hours)));
  const [a, b] = [query.get("a"), query.get("b")];
  const chosen = data?.cells.find((cell) => {
    const [one, other] = [data.metrics[cell.a]?.metric, data.metrics[cell.b]?.metric];
    return (one === a && other === b) || (one === b && other === a);
  });
  const choose = (cell: Cell | undefined) => {
    const next = new URLSearchParams({ hours });
    if (cell !== undefined && data !== undefined) {
      next.set("a", data.metrics[cell.a]?.metric ?? "");
      next.set("b", data.metrics[cell.b]?.metric ?? "");
    }
    navigate(`/correlations?${next.toString()}`, { replace: cell !== undefined });
  };
  const pair = useRef<HTMLHeadingElement>(null);
  const isSought = useRef(false); // chosen in the grid: on a narrow screen the pair is out of sight there
  useEffect(() => {
    if (isSought.current && pair.current !== null) reveal(pair.current);
    isSought.current = false;
  }, [chosen]);
  const seek = (cell: Cell) => {
    if (cell === chosen && pair.current !== null) reveal(pair.current);
    isSought.current = cell !== chosen;
    choose(cell);
  };
  const strongest = useMemo(
    () => [...(data?.cells ?? [])].sort((one, other) => Math.abs(other.coefficient) - Math.abs(one.coefficient)).slice(0, LISTED),
    [data],
  );
  return (
    <>
      <PageHeader title="What moves together">
        <Choice
          label="Window"
          value={hours}
          options={WINDOWS}
          onChange={(next) => navigate(`/correlations?hours=${next}`)}
        />
      </PageHeader>
      {data === undefined ? (
        error !== null ? (
          <Failed error={error} again={() => void refetch()} />
        ) : (
          <div role="status" aria-label="Loading"><Skeleton className="h-96 rounded-2xl" /></div>
        )
      ) : data.cells.length === 0 ? (
        <Empty title="Nothing moves together yet" icon={<Grid3x3 aria-hidden="true" className="size-10" />}>
          Pairs show here once two metrics have agreed for long enough to rule out chance: usually after a day or two of data. Try a longer window.
        </Empty>
      ) : (
        <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_minmax(24rem,30rem)]">
          <section aria-label="The chosen pair" className="card min-w-0 p-4 xl:order-2 xl:sticky xl:top-8">
            {chosen === undefined ? (
              <p className="px-1 py-6 text-center text-sm text-soft">Choose a pair to see both over each other.</p>
            ) : (
              <Pair data={data} cell={chosen} hours={Number(hours)} heading={pair} />
            )}
            <h2 className="mt-4 mb-2 px-1 text-sm font-semibold text-soft">Closest pairs</h2>
            <ul className="space-y-0.5">
              {strongest.map((cell) => (
                <li key={`${cell.a}:${cell.b}`}>
                  <button type="button" aria-pressed={cell === chosen} onClick={() => choose(cell)} className="flex min-h-11 w-full items-center gap-3 rounded-lg px-2 py-1.5 text-left text-sm hover:bg-raised aria-pressed:bg-raised">
                    <span aria-hidden="true" className="size-4 shrink-0 rounded-sm" style={{ background: cellColour(cell.coefficient) }} />
                    <span className="flex-1">{cell.text}</span>
                    <span className="text-soft tabular-nums">{cell.coefficient.toFixed(2).replace("-", "−")}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
          <section aria-label="All pairs" className="card min-w-0 space-y-4 p-4 sm:p-5">
            <Legend />
            <CorrelationHeatmap data={data} chosen={chosen} onChoose={seek} />
            <p className="text-xs text-soft">
              Pairs that passed a test against chance, in an order that puts relatives side by side. That two things move together does not tell which one, if any, is the cause.
              {data.truncated && " There are more metrics than one look takes: the most recent ones were taken."}
            </p>
          </section>
        </div>
      )}
    </>
  );
}

function Pair({ data, cell, hours, heading }: { data: Correlations; cell: Cell; hours: number; heading: RefObject<HTMLHeadingElement | null> }) {
  const names = [data.metrics[cell.a], data.metrics[cell.b]].flatMap((each) => (each === undefined ? [] : [each]));
  const metrics = names.map((each) => each.metric);
  const charts = useQuery(chartsQuery(metrics, -hours * 3600, undefined, 300));
  return (
    <>
      <h2 ref={heading} tabIndex={-1} className="scroll-mt-8 px-1 font-semibold">{cell.text}</h2>
      <p className="px-1 pb-2 text-sm text-soft">
        r = {cell.coefficient.toFixed(2).replace("-", "−")} over {cell.samples} points
        {cell.lag_seconds !== 0 && `, best at ${span(cell.lag_seconds)} apart`}
      </p>
      {charts.data === undefined || charts.data.series[0]?.metric !== metrics[0] ? <Skeleton className="h-56" /> : <PairChart data={charts.data} height={224} />}
      <p className="mt-2 flex flex-wrap items-center gap-4 px-1 text-sm">
        {names.map((each, index) => (
          <span key={each.metric} className="inline-flex items-center gap-2">
            <span aria-hidden="true" className="h-0.5 w-5" style={{ background: `var(--series-${index + 1})` }} />
            {each.title}
          </span>
        ))}
        <Link href={trendsLink({ metrics, from: -hours * 3600 })} className="text-accent underline">Open in Trends</Link>
      </p>
    </>
  );
}
