// How the service itself is: its parts, what it keeps and for how long, and how fresh that is.
import { useQuery } from "@tanstack/react-query";
import { Suspense, useMemo } from "react";
import type { ReactNode } from "react";
import { useParams } from "wouter";
import { healthQuery, insightsQuery, metricsQuery, statusQuery } from "../api/queries";
import { Failed, PageHeader, Skeleton } from "../components/parts";
import { SubPages } from "../components/sub-pages";
import { liveValues } from "../live/values";
import { useNow, useTitle } from "../lib/hooks";
import { lazyPart } from "../lib/lazy-part";
import { ago, moment, span } from "../lib/times";
import { counted } from "../lib/words";

const bytes = (count: number | null | undefined): string => {
  if (count === null || count === undefined) return "unknown";
  const units = ["B", "kB", "MB", "GB"];
  const power = count < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ""}`;
};
const count = new Intl.NumberFormat("en");
const STATES: Readonly<Record<string, string>> = {
  running: "text-good", starting: "text-notice", degraded: "text-warning", backing_off: "text-warning",
  parked: "text-warning", stuck: "text-critical", stopped: "text-critical",
}; // prettier-ignore
const SAYS: Readonly<Record<string, string>> = {
  operational: "Everything runs.",
  degraded: "It works, but something works less well.",
  down: "The service takes no data.",
};

interface Mailbox {
  readonly depth: number;
  readonly capacity: number;
  readonly handled: number;
  readonly quarantined: number;
}

interface Actor {
  readonly state: string;
  readonly restarts: number;
  readonly last_error: string | null;
  readonly last_error_at: number | null;
  readonly degraded_reason: string | null;
  readonly mailbox: Mailbox | null;
}

const TOPICS = [
  ["", "Service", Service],
  ["actions", "Actions", lazyPart(() => import("./system/actions"))],
] as const;

export default function System() {
  const topic = useParams<{ "*"?: string }>()["*"] ?? "";
  const [, name, Page] = TOPICS.find(([path]) => path === topic) ?? TOPICS[0];
  useTitle(`${name}, System`);
  return (
    <>
      <PageHeader title="System" />
      <SubPages label="System" base="/system" topics={TOPICS} topic={topic} />
      <Suspense fallback={<Skeleton className="h-64 rounded-2xl" />}>
        <Page />
      </Suspense>
    </>
  );
}

function Service() {
  const status = useQuery(statusQuery);
  const health = useQuery(healthQuery);
  const metrics = useQuery(metricsQuery);
  const insights = useQuery(insightsQuery);
  const now = useNow(1);
  const largest = useMemo(
    () => [...(metrics.data?.metrics ?? [])].sort((a, b) => (b.bytes_per_day ?? 0) - (a.bytes_per_day ?? 0)).slice(0, 25),
    [metrics.data],
  );
  const failed = status.error ?? health.error;
  if (status.data === undefined || health.data === undefined) {
    return failed !== null ? (
      <Failed error={failed} again={() => void Promise.all([status.refetch(), health.refetch()])} />
    ) : (
      <div role="status" aria-label="Loading"><Skeleton className="h-96 rounded-2xl" /></div>
    );
  }
  const { persistence, memory } = status.data;
  const actors = Object.entries(health.data.actors) as unknown as [string, Actor][];
  return (
    <>
      <p className="mb-4 text-lg">{SAYS[status.data.service_status] ?? status.data.service_status}</p>
      <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
        <Card title="Data">
          <Fact name="Newest value">{liveValues.newest > 0 ? ago(Math.max(0, now - liveValues.newest)) : "none yet"}</Fact>
          <Fact name="Metrics">{count.format(status.data.metrics_tracked)}</Fact>
          <Fact name="Open insights">{insights.data === undefined ? "unknown" : count.format(insights.data.total_insights)}</Fact>
          <Fact name="Known patterns">{count.format(status.data.patterns_detected)}</Fact>
          <Fact name="Version">{status.data.version}</Fact>
          <Fact name="Running for">{span(status.data.uptime_seconds)}</Fact>
        </Card>
        <Card title="Memory">
          <Budget used={memory.bytes} budget={memory.budget_bytes} />
          <Fact name="Used">{bytes(memory.bytes)} of {bytes(memory.budget_bytes)}</Fact>
          <Fact name="Samples">{count.format(memory.samples)}</Fact>
          <Fact name="Kept for">{span(status.data.data_retention_hours * 3600)}</Fact>
          <Fact name="Let go to make room">{counted(memory.evicted, "sample")}</Fact>
          <Fact name="Lost before they were stored">{count.format(memory.lost_unpersisted)}</Fact>
        </Card>
        <Card title="Disk">
          {persistence.enabled ? (
            <>
              {persistence.budget_bytes !== null && persistence.size_bytes !== null && <Budget used={persistence.size_bytes} budget={persistence.budget_bytes} />}
              <Fact name="State">{persistence.state}{persistence.reason !== null && `: ${persistence.reason}`}</Fact>
              <Fact name="Size">{bytes(persistence.size_bytes)}{persistence.budget_bytes !== null && ` of ${bytes(persistence.budget_bytes)}`}</Fact>
              <Fact name="Last stored">{persistence.last_commit === null ? "nothing yet" : ago(Math.max(0, now - persistence.last_commit))}</Fact>
              <Fact name="Waiting">{persistence.backlog === null ? "unknown" : counted(persistence.backlog, "sample")}</Fact>
            </>
          ) : (
            <p className="col-span-2 text-sm text-soft">
              Nothing is kept on disk: history ends with the service. Set COACHIQ_ANALYTICS__PERSISTENCE=true to keep it.
            </p>
          )}
        </Card>
      </div>
      <section aria-label="Parts" className="card mt-4 overflow-x-auto p-4 sm:p-5" tabIndex={0}>
        <h2 className="mb-3 text-sm font-semibold text-soft">Parts</h2>
        <table className="w-full min-w-xl text-sm wrap-normal">
          <thead className="text-left text-soft">
            <tr>
              {["Part", "State", "Restarts", "Waiting", "Handled", "Put aside", "Last error"].map((name) => (
                <th key={name} scope="col" className="pr-4 pb-2 font-medium">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {actors.map(([name, actor]) => (
              <tr key={name} className="border-t align-top">
                <th scope="row" className="py-2 pr-4 text-left font-medium">{name.replaceAll("_", " ")}</th>
                <td className={`py-2 pr-4 ${STATES[actor.state] ?? ""}`}>
                  {actor.state.replaceAll("_", " ")}
                  {actor.degraded_reason !== null && <span className="block text-xs text-soft">{actor.degraded_reason}</span>}
                </td>
                <td className="py-2 pr-4 tabular-nums">{actor.restarts}</td>
                <td className="py-2 pr-4 tabular-nums">{actor.mailbox === null ? "" : `${actor.mailbox.depth} of ${actor.mailbox.capacity}`}</td>
                <td className="py-2 pr-4 tabular-nums">{actor.mailbox === null ? "" : count.format(actor.mailbox.handled)}</td>
                <td className="py-2 pr-4 tabular-nums">{actor.mailbox === null ? "" : count.format(actor.mailbox.quarantined)}</td>
                <td className="py-2 text-soft">
                  {actor.last_error === null ? "none" : actor.last_error}
                  {actor.last_error_at !== null && `, ${moment(actor.last_error_at)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section aria-label="Storage by metric" className="card mt-4 overflow-x-auto p-4 sm:p-5" tabIndex={0}>
        <h2 className="mb-3 text-sm font-semibold text-soft">
          Storage by metric{(metrics.data?.total ?? 0) > largest.length && `: the ${largest.length} largest of ${metrics.data?.total ?? 0}`}
        </h2>
        {metrics.data === undefined ? (
          <Skeleton className="h-48" />
        ) : (
          <table className="w-full min-w-md text-sm tabular-nums wrap-normal">
            <thead className="text-left text-soft">
              <tr>
                {["Metric", "Samples in memory", "Bytes in memory", "A day takes"].map((name) => (
                  <th key={name} scope="col" className="pr-4 pb-2 font-medium">{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {largest.map((metric) => (
                <tr key={metric.name} className="border-t">
                  <th scope="row" className="py-1.5 pr-4 text-left font-normal">{metric.name}</th>
                  <td className="py-1.5 pr-4">{count.format(metric.samples)}</td>
                  <td className="py-1.5 pr-4">{bytes(metric.bytes)}</td>
                  <td className="py-1.5 pr-4">{bytes(metric.bytes_per_day)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
    </>
  );
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="card p-4 sm:p-5">
      <h2 className="mb-3 text-sm font-semibold text-soft">{title}</h2>
      <dl className="grid grid-cols-[minmax(0,1fr)_fit-content(60%)] gap-x-6 gap-y-2 text-sm">{children}</dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd className="text-right wrap-anywhere tabular-nums">{children}</dd>
    </>
  );
}

function Budget({ used, budget }: { used: number; budget: number }) {
  const share = Math.min(100, (100 * used) / Math.max(1, budget));
  return (
    <div className="col-span-2 mb-1" aria-hidden="true">
      <svg viewBox="0 0 100 3" preserveAspectRatio="none" className="h-2.5 w-full rounded-full">
        <rect width="100" height="3" fill="var(--raised)" />
        <rect width={share} height="3" fill={share > 90 ? "var(--warning)" : "var(--good)"} />
      </svg>
    </div>
  );
}
