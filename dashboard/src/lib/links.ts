// Addresses of pages: what a person sees can be shared, so all of it stands in the address.

export interface TrendsView {
  readonly metrics: readonly string[];
  readonly from: number; // seconds since 1970; <= 0: so many seconds before `to`
  readonly to: number | undefined; // undefined: now
  readonly table: boolean;
}

export const DAY = 86_400;
export const DEFAULT_VIEW: TrendsView = { metrics: [], from: -DAY, to: undefined, table: false };
export const MOST_METRICS = 12; // charts on one page: more are neither seen at once nor drawn in time
export const ALL = 1; // a `from` of one second after 1970 is "since the oldest sample"

/** The view as a query string; defaults are left out. */
export function trendsSearch(view: TrendsView): string {
  const query = new URLSearchParams();
  for (const metric of view.metrics) query.append("m", metric);
  if (view.from !== DEFAULT_VIEW.from) query.set("from", String(Math.round(view.from)));
  if (view.to !== undefined) query.set("to", String(Math.round(view.to)));
  if (view.table) query.set("view", "table");
  return query.toString();
}

/** The view out of a query string, whoever wrote it. */
export function parseTrends(search: string): TrendsView {
  const query = new URLSearchParams(search);
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    const value = Number(text);
    return text === null || text.trim() === "" || !Number.isFinite(value) || Math.abs(value) > 1e10 ? undefined : value;
  };
  const end = number("to");
  const to = end !== undefined && end > 0 ? end : undefined;
  const from = number("from") ?? DEFAULT_VIEW.from;
  const valid = from !== 0 && (to === undefined || (from > 0 ? from < to : to + from >= 0)); // else the service is not asked for it
  return {
    metrics: [...new Set(query.getAll("m").filter((name) => name !== ""))].slice(0, MOST_METRICS),
    from: valid ? from : DEFAULT_VIEW.from,
    to: valid ? to : DEFAULT_VIEW.to,
    table: query.get("view") === "table",
  };
}

export function trendsLink(view: Partial<TrendsView>): string {
  const search = trendsSearch({ ...DEFAULT_VIEW, ...view });
  return search === "" ? "/trends" : `/trends?${search}`;
}

export function insightLink(id: string): string {
  return `/insights/${encodeURIComponent(id)}`;
}

export function patternsLink(metric: string): string {
  return `/patterns?m=${encodeURIComponent(metric)}`;
}
