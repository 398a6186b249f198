// A chart that its reader has put on the first page.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { cardQuery } from "../api/queries";
import { useLiveEnd } from "../charts/tail";
import { TrendChart } from "../charts/trend-chart";
import { DAY, trendsLink } from "../lib/links";
import { Skeleton } from "./parts";

export default function ChartCard({ metrics }: { metrics: readonly string[] }) {
  const { data } = useQuery({ ...cardQuery(metrics), refetchInterval: 60_000 });
  const live = useLiveEnd(metrics, true, 15);
  const end = Math.max(live.now, data?.end ?? 0);
  return (
    <section aria-label={data?.series[0]?.title ?? metrics[0] ?? ""} className="card h-full p-4 sm:p-5">
      {data === undefined ? (
        <Skeleton className="h-64" />
      ) : (
        data.series.map((series, index) => (
          <div key={series.metric} className="mb-2">
            <h2 className="mb-2 text-sm font-semibold">
              <Link href={trendsLink({ metrics })} className="hover:text-accent">
                {series.title}
              </Link>
            </h2>
            <TrendChart
              series={series}
              stepSeconds={data.step_seconds}
              span={{ start: end - DAY, end }}
              colour={`var(--series-${(index % 6) + 1})`}
              height={220}
              tail={live.tails.get(series.metric) ?? []}
            />
          </div>
        ))
      )}
    </section>
  );
}
