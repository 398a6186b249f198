// What the first page asks for: what it is about, then the last day of all that it shows.
import type { QueryClient } from "@tanstack/react-query";
import { alertsQuery, chartsQuery, insightsQuery, overviewQuery, putOffQuery } from "./queries";
import type { Alert, Insight, TileGroup } from "./queries";

const DAY_SECONDS = 86_400;
const POINTS = 96;
const MOST = 32;
const CARDS = 8; // of insights, and of alerts, that get a picture however many there are

/** The metrics that have a picture on the page, in the order of their names. */
export function shownMetrics(firing: readonly Pick<Alert, "metric">[], open: readonly Pick<Insight, "metric">[], groups: readonly TileGroup[]): string[] {
  const wanted = [
    ...firing.slice(0, CARDS).map(({ metric }) => metric),
    ...open.slice(0, CARDS).flatMap(({ metric }) => (metric === null ? [] : [metric])),
    ...groups.flatMap((group) => group.tiles.filter((tile) => tile.kind !== "state").map((tile) => tile.metric)),
  ];
  return [...new Set(wanted)].slice(0, MOST).sort();
}

export function lastDayQuery(metrics: readonly string[]) {
  return chartsQuery(metrics, -DAY_SECONDS, undefined, POINTS, "line");
}

/** Ask while the page is still being built: drawing it the first time takes longer than the answers do. */
export async function askAhead(client: QueryClient): Promise<void> {
  void client.prefetchQuery(putOffQuery);
  await Promise.all([client.prefetchQuery(overviewQuery), client.prefetchQuery(insightsQuery), client.prefetchQuery(alertsQuery)]);
  const overview = client.getQueryData(overviewQuery.queryKey);
  const insights = client.getQueryData(insightsQuery.queryKey);
  const alerts = client.getQueryData(alertsQuery.queryKey);
  if (overview === undefined || insights === undefined || alerts === undefined) return; // the page asks again, and says so
  const metrics = shownMetrics(alerts.alerts, insights.insights, overview.groups);
  if (metrics.length > 0) await client.prefetchQuery(lastDayQuery(metrics));
}
