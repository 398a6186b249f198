// Metrics over time. What is shown stands in the address.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ChartLine, Download, RotateCcw, Table2, X, ZoomOut } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useHistoryState } from "wouter/use-browser-location";
import { attempt } from "../api/changes";
import { address, answer } from "../api/client";
import { chartsQuery, queryClient } from "../api/queries";
import type { ChartsResponse } from "../api/queries";
import { Brush } from "../charts/brush";
import { useLiveEnd } from "../charts/tail";
import { zoomed } from "../charts/window";
import type { Span } from "../charts/window";
import { MetricPicker } from "../components/metric-picker";
import { Button, Choice, Failed, PageHeader, Skeleton } from "../components/parts";
import { serverNow } from "../lib/clock";
import { useLast, useMedia, useQueryString, useTitle } from "../lib/hooks";
import { ALL, DAY, MOST_METRICS, parseTrends, trendsLink } from "../lib/links";
import type { TrendsView } from "../lib/links";
import { moment, span as spanText } from "../lib/times";
import { showToast } from "../lib/toast";
import { MetricCard } from "./trends/metric-card";
import { Partners, Suggestions } from "./trends/more-metrics";
import { back, stepped, stepsOf } from "./trends/steps";
import type { Steps } from "./trends/steps";

const RANGES: readonly (readonly [string, string, number])[] = [
  ["15m", "15 min", -900],
  ["1h", "1 h", -3600],
  ["6h", "6 h", -6 * 3600],
  ["1d", "24 h", -DAY],
  ["7d", "7 days", -7 * DAY],
  ["30d", "30 days", -30 * DAY],
  ["all", "All", ALL],
];
const COLOURS = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)", "var(--series-6)"];
const WIDE_POINTS = 360; // a point each three pixels: more is not seen, and drawn all the same
const NARROW_POINTS = 200;
const PATIENCE_MS = 250; // a picture that is not there by then is made of what is known
const NIGHT_BEGINS = 20; // o'clock
const NIGHT_ENDS = 8;

/** From eight in the evening to eight in the morning, by this reader's clock; the night going on counts. */
export function lastNight(now: number): Span {
  const end = new Date(now * 1000);
  end.setHours(NIGHT_ENDS, 0, 0, 0);
  if (new Date(now * 1000).getHours() >= NIGHT_BEGINS) end.setDate(end.getDate() + 1);
  const start = new Date(end);
  start.setDate(start.getDate() - 1);
  start.setHours(NIGHT_BEGINS);
  return { start: start.getTime() / 1000, end: Math.min(now, end.getTime() / 1000) };
}

/** Whether `isWaiting` has lasted for longer than anybody should look at what was before. */
function useLate(isWaiting: boolean): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!isWaiting) return undefined;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [isWaiting]);
  return isLate;
}

/** What is shown, and how to show something else. What is not said to change stays, the steps back as well. */
function useView(): [TrendsView, (change: Partial<TrendsView & Steps>) => void] {
  const search = useQueryString();
  const [, navigate] = useLocation();
  const view = useMemo(() => parseTrends(search), [search]);
  const change = useCallback(
    ({ steps = stepsOf(history.state), ...next }: Partial<TrendsView & Steps>) => {
      navigate(trendsLink({ ...parseTrends(location.search), ...next }), { state: { steps } satisfies Steps });
    },
    [navigate],
  );
  return [view, change];
}

async function download(parameters: Parameters<typeof address>[1]): Promise<void> {
  const response = await answer(address("/api/analytics/charts", { ...parameters, format: "csv" }));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = "chart.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

function shownSpan(view: TrendsView, data: ChartsResponse, now: number): Span {
  const end = view.to ?? Math.max(now, data.end);
  if (view.from === ALL) return { start: data.start, end };
  return { start: view.from > 0 ? view.from : end + view.from, end };
}

export default function Trends() {
  const [view, change] = useView();
  const { metrics, from, to, table } = view;
  useTitle("Trends");
  const points = useMedia("(min-width: 40rem)") ? WIDE_POINTS : NARROW_POINTS;
  const query = useQuery({
    ...chartsQuery(metrics, from, to, points),
    placeholderData: keepPreviousData,
    refetchInterval: to === undefined ? 30_000 : false,
  });
  const whole = useQuery({ ...chartsQuery(metrics.slice(0, 1), ALL, undefined, 300), staleTime: 300_000 });
  const length = from > 0 ? (to ?? serverNow()) - from : -from;
  const live = useLiveEnd(metrics, to === undefined && !table, Math.min(15, Math.max(1, length / 400)));
  const data = useLast(query.data); // a question that failed takes nothing away from the picture
  const target = useMemo(() => (data === undefined ? undefined : shownSpan(view, data, live.now)), [view, data, live.now]);
  const isLate = useLate(query.isPlaceholderData);
  // While its data are on their way the span before is drawn, so that the charts are drawn once, not twice.
  const span = useMemo(
    () => (data !== undefined && query.isPlaceholderData && !isLate ? { start: data.start, end: data.end } : target),
    [data, query.isPlaceholderData, isLate, target],
  );
  const wanted = useRef<Span | undefined>(undefined); // where the next step begins, drawn already or not
  useEffect(() => {
    wanted.current = target;
  }, [target]);
  const backOne = back(view, stepsOf(useHistoryState()));
  const setSpan = useCallback(
    (next: Span | undefined) => {
      const left = parseTrends(location.search);
      const steps = stepsOf(history.state);
      if (next === undefined) {
        const first = back(left, steps, true);
        if (first !== undefined) change(first);
        return;
      }
      const isLive = next.end >= serverNow() - (next.end - next.start) * 0.01;
      // Rounded as the address will have it, so that it is the same question.
      const [first, last] = isLive ? [Math.round(next.start - next.end), undefined] : [Math.round(next.start), Math.round(next.end)];
      if (first === left.from && last === left.to) return;
      void queryClient.prefetchQuery(chartsQuery(left.metrics, first, last, points)); // before the page is drawn anew
      change({ from: first, to: last, ...stepped(steps, left) });
    },
    [change, points],
  );

  const isFresh = query.data !== undefined && !query.isPlaceholderData;
  useEffect(() => {
    if (!isFresh) return;
    requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("charts-drawn")));
  }, [isFresh, data]);

  const add = useCallback(
    (names: readonly string[]) => {
      const left = parseTrends(location.search).metrics;
      const all = [...new Set([...left, ...names])];
      if (all.length > MOST_METRICS) showToast({ text: `No more than ${MOST_METRICS} charts go on one page: remove one first.` });
      if (left.length < MOST_METRICS) change({ metrics: all.slice(0, MOST_METRICS) });
    },
    [change],
  );
  const toggle = (name: string) => (metrics.includes(name) ? change({ metrics: metrics.filter((each) => each !== name) }) : add([name]));
  const rangeKey = to === undefined ? RANGES.find(([, , seconds]) => seconds === from)?.[0] : undefined;
  const [isBusy, setBusy] = useState(false);

  const names = new Map(data?.series.map((each) => [each.metric, each.title]));
  return (
    <>
      <PageHeader title="Trends">
        <div className="flex flex-wrap gap-2">
          <Choice
            label="Range"
            value={rangeKey}
            options={RANGES.map(([key, text]) => [key, text] as const)}
            onChange={(key) => {
              performance.mark("zoom-start");
              change({ from: RANGES.find(([each]) => each === key)?.[2] ?? -DAY, to: undefined, steps: [] });
            }}
          />
        </div>
      </PageHeader>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        {metrics.map((name, index) => (
          <span key={name} className="inline-flex min-h-11 max-w-full items-center gap-2 rounded-[0.625rem] border bg-surface pl-3 text-sm">
            <span aria-hidden="true" className="size-2.5 shrink-0 rounded-full" style={{ background: COLOURS[index % COLOURS.length] }} />
            <span className="max-w-56 truncate">{names.get(name) ?? name}</span>
            <button type="button" aria-label={`Remove ${names.get(name) ?? name}`} className="inline-flex size-11 items-center justify-center rounded-[0.625rem] text-soft hover:text-ink" onClick={() => toggle(name)}>
              <X aria-hidden="true" className="size-4" />
            </button>
          </span>
        ))}
        <MetricPicker label={metrics.length === 0 ? "Choose metrics" : "Add"} chosen={metrics} onToggle={toggle} />
        {metrics.length > 0 && (
          <>
            <Button onClick={() => { const night = lastNight(serverNow()); setSpan(night); }}>Last night</Button>
            <Button tone="quiet" aria-label="Zoom out" title="Zoom out" onClick={() => span && setSpan(zoomed(span, 2, (span.start + span.end) / 2, serverNow()))}>
              <ZoomOut aria-hidden="true" className="size-5" />
            </Button>
            {/* Always in its place: were it to appear, the charts would move away under the hand. */}
            <Button
              tone="quiet"
              aria-disabled={backOne === undefined}
              className="aria-disabled:cursor-default aria-disabled:opacity-50"
              onClick={() => {
                if (backOne !== undefined) change(backOne);
              }}
            >
              <RotateCcw aria-hidden="true" className="size-4" /> Back
            </Button>
            <div className="ml-auto flex flex-wrap gap-2">
              <Button aria-pressed={table} onClick={() => change({ table: !table })}>
                {table ? <ChartLine aria-hidden="true" className="size-4" /> : <Table2 aria-hidden="true" className="size-4" />}
                {table ? "View as chart" : "View as table"}
              </Button>
              <Button
                disabled={data === undefined || isBusy}
                onClick={() => {
                  if (data === undefined) return;
                  setBusy(true);
                  void attempt(() => download({ metric: metrics, start: data.start, end: data.end, max_points: points }), []).finally(() => setBusy(false));
                }}
              >
                <Download aria-hidden="true" className="size-4" /> CSV
              </Button>
            </div>
          </>
        )}
      </div>
      {metrics.length === 0 ? (
        <Suggestions onAdd={add} />
      ) : data === undefined || span === undefined ? (
        query.error !== null ? (
          <Failed error={query.error} again={() => void query.refetch()} />
        ) : (
          <div role="status" aria-label="Loading" className="space-y-4">
            {metrics.map((name) => <Skeleton key={name} className="h-64 rounded-2xl" />)}
          </div>
        )
      ) : (
        <>
          {query.error !== null && query.data === undefined && (
            <div className="mb-3">
              <Failed error={query.error} again={() => void query.refetch()} />
            </div>
          )}
          <p className="mb-3 text-sm text-soft" aria-live="polite">
            {moment(span.start)} to {to === undefined ? "now" : moment(span.end)}, {spanText(span.end - span.start)}; one point is{" "}
            {spanText(data.step_seconds)}.{!data.complete && ` The archive could not be read: ${data.incomplete_reason ?? "no reason given"}`}
          </p>
          <div className="grid gap-4 3xl:grid-cols-2">
            {metrics.map((name, index) => {
              const series = data.series.find((each) => each.metric === name);
              if (series === undefined) return <Skeleton key={name} className="h-64 rounded-2xl" />;
              return (
                <MetricCard
                  key={name}
                  series={series}
                  stepSeconds={data.step_seconds}
                  span={span}
                  colour={COLOURS[index % COLOURS.length] ?? "var(--accent)"}
                  height={metrics.length > 2 ? 180 : 260}
                  asTable={table}
                  {...(to === undefined ? { tail: live.tails.get(name) ?? [] } : {})}
                  target={wanted}
                  onZoom={setSpan}
                />
              );
            })}
          </div>
          {whole.data?.series[0] !== undefined && whole.data.series[0].times.length > 1 && !table && (
            <section aria-label="Whole history" className="card mt-4 px-6 py-3">
              <Brush series={whole.data.series[0]} whole={{ start: whole.data.start, end: Math.max(whole.data.end, span.end) }} span={span} onChange={setSpan} />
            </section>
          )}
          <div className="mt-4">
            {metrics[0] !== undefined && <Partners metric={metrics[0]} shown={metrics} onAdd={add} />}
          </div>
          <p className="mt-4 text-xs text-soft">
            Shaded grey: what would be ordinary. Red ribbon: how unusual a moment was. Drag to zoom, pinch, or use the keyboard on a chart.
          </p>
        </>
      )}
    </>
  );
}
