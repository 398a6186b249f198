// What the pages ask the service, and how long an answer is good for. The WebSocket says when one is not any more.
import { keepPreviousData, QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiError, get } from "./client";
import { serverNow } from "../lib/clock";
import type { Schemas } from "./client";

export type Insight = Schemas["Insight"];
export type Alert = Schemas["ThresholdAlert"];
export type Tile = Schemas["Tile"];
export type TileGroup = Schemas["TileGroup"];
export type PowerNode = Schemas["PowerNode"];
export type ChartSeries = Schemas["ChartSeries"];
export type ChartsResponse = Schemas["ChartsResponse"];
export type MetricEntry = Schemas["MetricEntry"];
export type Correlations = Schemas["CorrelationsResponse"];
export type Pattern = Schemas["PatternData"];
export type Cycle = Schemas["CycleResponse"];

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => !(error instanceof ApiError && error.status >= 400 && error.status < 500) && failures < 2,
      networkMode: "always", // the service is on the LAN: a browser that thinks it is offline is often wrong
      staleTime: 30 * SECOND,
      refetchOnWindowFocus: true,
    },
  },
});

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => get("/api/analytics/overview", {}, signal),
  refetchInterval: 5 * SECOND, // levels and the power flow are the service's to compute; values come by themselves
});

export const insightsQuery = queryOptions({
  queryKey: ["insights"],
  queryFn: ({ signal }) => get("/api/analytics/insights", { limit: 200 }, signal),
  refetchInterval: MINUTE,
});

/** Thresholds that fire, or have been back within their limits for too short a time to be over. */
export const alertsQuery = queryOptions({
  queryKey: ["alerts"],
  queryFn: ({ signal }) => get("/api/analytics/alerts", {}, signal),
  // How far one has gone by now is not told by frames.
  refetchInterval: (query) => ((query.state.data?.alerts.length ?? 0) > 0 ? 5 * SECOND : MINUTE),
});

/** What somebody has snoozed or dismissed, and still holds. */
export const putOffQuery = queryOptions({
  queryKey: ["insights", "put off"],
  queryFn: async ({ signal }) => {
    const ask = (status: string) => get("/api/analytics/insights", { limit: 200, status }, signal);
    return (await Promise.all([ask("snoozed"), ask("dismissed")])).flatMap(({ insights }) => insights);
  },
  refetchInterval: MINUTE,
});

/** Resolved and put off ones, too: for a page of its own that somebody has a link to. */
export const allInsightsQuery = queryOptions({
  queryKey: ["insights", "all"],
  queryFn: ({ signal }) => get("/api/analytics/insights", { limit: 200, status: "all" }, signal),
  refetchInterval: MINUTE,
});

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => get("/api/analytics/status", {}, signal),
  refetchInterval: 5 * SECOND, // it stands beside the newest value, which is live
});

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => get("/api/analytics/health", {}, signal),
  refetchInterval: 5 * SECOND,
});

export const metricsQuery = queryOptions({
  queryKey: ["metrics"],
  queryFn: ({ signal }) => get("/api/analytics/metrics", { limit: 5000 }, signal),
  staleTime: MINUTE,
});

/** `from` <= 0: so many seconds before the end; `to` undefined: now. `line`: what a small picture needs. */
export function chartsQuery(metrics: readonly string[], from: number, to: number | undefined, maxPoints: number, detail: "full" | "line" = "full") {
  return queryOptions({
    queryKey: ["charts", metrics, from, to, maxPoints, detail],
    queryFn: ({ signal }) =>
      get(
        "/api/analytics/charts",
        { metric: metrics, start: from > 0 ? from : (to ?? serverNow()) + from, end: to, max_points: maxPoints, ...(detail === "full" ? {} : { detail }) },
        signal,
      ),
    enabled: metrics.length > 0,
    placeholderData: keepPreviousData,
    staleTime: to === undefined ? 10 * SECOND : 10 * MINUTE,
  });
}

/** What a card of the first page shows. */
export function cardQuery(metrics: readonly string[]) {
  return chartsQuery(metrics, -86_400, undefined, 240);
}

export function correlationsQuery(hours: number) {
  return queryOptions({
    queryKey: ["correlations", hours],
    queryFn: ({ signal }) => get("/api/analytics/correlations", { time_window_hours: hours }, signal),
    staleTime: 10 * MINUTE,
    placeholderData: keepPreviousData,
  });
}

export function cycleQuery(metric: string | undefined, days: number) {
  return queryOptions({
    queryKey: ["cycles", metric, days],
    queryFn: ({ signal }) =>
      get(
        "/api/analytics/cycles",
        { metric, days, clock: "coach" }, // as patterns have it: one clock for a page
        signal,
      ),
    enabled: metric !== undefined,
    staleTime: 10 * MINUTE,
    placeholderData: keepPreviousData,
  });
}

export function patternsQuery(hours: number) {
  return queryOptions({
    queryKey: ["patterns", hours],
    queryFn: ({ signal }) =>
      get("/api/analytics/historical", { analysis_type: "pattern_detection", time_window_hours: hours, include_predictions: "false" }, signal),
    staleTime: 10 * MINUTE,
    placeholderData: keepPreviousData,
  });
}
