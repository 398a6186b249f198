// The first page: what needs attention, then the coach at a glance.
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, Satellite } from "lucide-react";
import { useEffect, useMemo } from "react";
import { lastDayQuery, shownMetrics } from "../api/now";
import { alertsQuery, insightsQuery, overviewQuery, putOffQuery } from "../api/queries";
import type { TileGroup } from "../api/queries";
import { AlertCard } from "../components/alert-card";
import { ArrangedCards } from "../components/arrange";
import { BatteryCard, PowerCard, RowsCard, TanksCard } from "../components/glance";
import type { Histories } from "../components/glance";
import { InsightCard } from "../components/insight-card";
import { cx, Empty, Failed, Skeleton } from "../components/parts";
import { PutOff } from "../components/put-off";
import { useTitle } from "../lib/hooks";
import { bySeverity, headline, holding } from "../lib/words";

function Group({ group, histories }: { group: TileGroup; histories: Histories }) {
  if (group.group === "battery") return <BatteryCard group={group} histories={histories} />;
  if (group.group === "tanks") return <TanksCard group={group} histories={histories} />;
  return <RowsCard group={group} histories={histories} />;
}

function Loading() {
  return (
    <div aria-label="Loading" role="status" className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
      {[0, 1, 2].map((each) => (
        <Skeleton key={each} className="h-80 rounded-2xl" />
      ))}
    </div>
  );
}

function EmptyService() {
  return (
    <Empty title="Nothing has been recorded yet" icon={<Satellite aria-hidden="true" className="size-10" />}>
      <p>This page fills by itself as soon as the coach sends its first value. To try it by hand:</p>
      <pre className="mt-4 overflow-x-auto rounded-lg bg-raised p-4 text-left text-xs text-ink" tabIndex={0}>
        {`curl -H 'Content-Type: application/json' \\
  -d '{"metric_name": "battery.house.voltage", "value": 13.2}' \\
  ${location.origin}/api/analytics/metrics`}
      </pre>
      <p className="mt-4">
        How to send values is described at{" "}
        <a className="text-accent underline" href="/docs">
          /docs
        </a>
        .
      </p>
    </Empty>
  );
}

export default function Overview() {
  useTitle("Now");
  const overview = useQuery(overviewQuery);
  const insights = useQuery(insightsQuery);
  const alerts = useQuery(alertsQuery);
  const putOff = useQuery(putOffQuery);
  const open = useMemo(() => insights.data?.insights ?? [], [insights.data]);
  const firing = useMemo(() => alerts.data?.alerts ?? [], [alerts.data]);
  const groups = overview.data?.groups;
  const isAnswered = !insights.isPending && !alerts.isPending; // before that, the pictures would be asked for twice
  const metrics = useMemo(() => (isAnswered ? shownMetrics(firing, open, groups ?? []) : []), [isAnswered, firing, open, groups]);
  const charts = useQuery({ ...lastDayQuery(metrics), refetchInterval: 60_000 });
  const histories = useMemo<Histories>(
    () => ({
      series: new Map(charts.data?.series.map((each) => [each.metric, each])),
      range: charts.data === undefined ? undefined : [charts.data.start, charts.data.end],
    }),
    [charts.data],
  );
  const isKnown = overview.data !== undefined && insights.data !== undefined && alerts.data !== undefined && putOff.data !== undefined;
  const ready = isKnown && (metrics.length === 0 || charts.data !== undefined);
  useEffect(() => {
    if (ready) requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("cards-ready")));
  }, [ready]);

  const failed = overview.error ?? insights.error ?? alerts.error ?? putOff.error;
  if (failed !== null && overview.data === undefined) {
    return <Failed error={failed} again={() => void Promise.all([overview, insights, alerts, putOff].map((each) => each.refetch()))} />;
  }
  const words = headline([...holding(firing), ...open], putOff.data ?? [], overview.data?.groups ?? [], overview.data?.power ?? []);
  const count = firing.length + open.length;
  return (
    <>
      <header className="mb-6 max-w-4xl">
        {!isKnown ? (
          <>
            <h1 className="text-3xl font-semibold tracking-tight sm:text-4xl">Looking…</h1>
            <p className="mt-2 text-soft">Asking the coach how it is.</p>
          </>
        ) : (
          <>
            <h1 className="flex items-start gap-3 text-3xl font-semibold tracking-tight text-balance sm:text-4xl">
              {words.isWell && overview.data.total_metrics > 0 && (
                <CircleCheck aria-hidden="true" className="mt-1 size-8 shrink-0 text-good" />
              )}
              {overview.data.total_metrics === 0 ? "Waiting for the coach" : words.title}
            </h1>
            {words.text !== "" && <p className="mt-2 text-lg text-soft text-pretty">{words.text}</p>}
          </>
        )}
      </header>
      {count > 0 && (
        <section aria-label="Needs attention" className={cx("mb-6 grid items-start gap-4", count > 1 && "md:grid-cols-2 3xl:grid-cols-3")}>
          {bySeverity(firing, open).map((each) =>
            "alert_id" in each ? (
              <AlertCard key={each.alert_id} alert={each} history={histories.series.get(each.metric)} range={histories.range} />
            ) : (
              <InsightCard
                key={each.insight_id}
                insight={each}
                history={each.metric === null ? undefined : histories.series.get(each.metric)}
                range={histories.range}
              />
            ),
          )}
        </section>
      )}
      <PutOff insights={putOff.data ?? []} />
      {overview.data === undefined ? (
        <Loading />
      ) : overview.data.total_metrics === 0 ? (
        <EmptyService />
      ) : (
        <ArrangedCards
          show={(id) => {
            if (id === "power") return overview.data.power.length > 0 ? <PowerCard nodes={overview.data.power} /> : null;
            const group = overview.data.groups.find((each) => each.group === id);
            return group === undefined ? null : <Group group={group} histories={histories} />;
          }}
        />
      )}
    </>
  );
}
