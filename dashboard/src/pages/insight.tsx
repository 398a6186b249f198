// One insight, whole: what, compared with what, since when, what moved along, what to do.
import { useQuery } from "@tanstack/react-query";
import { Lightbulb, Link2, SearchX } from "lucide-react";
import { useMemo, useState } from "react";
import { Link, useParams } from "wouter";
import { allInsightsQuery, chartsQuery, correlationsQuery } from "../api/queries";
import type { Insight } from "../api/queries";
import { TrendChart } from "../charts/trend-chart";
import { Deeds, useDeeds, useOffered } from "../components/deed";
import { Marks } from "../components/marks";
import { Button, Empty, Failed, Skeleton } from "../components/parts";
import { SeverityMark } from "../components/severity";
import { underwayFor } from "../lib/deeds";
import { baselineText, evidenceOf, impactText, lifeText, movedText, percent, shadeEnd } from "../lib/evidence";
import { useNow, useQueryString, useTitle } from "../lib/hooks";
import { DAY, insightLink, parseTrends, trendsLink, trendsSearch } from "../lib/links";
import { usePreferences } from "../lib/preferences";
import { useSaid } from "../lib/said";
import { ago, moment, span } from "../lib/times";
import { shownText } from "../lib/units";
import { counted } from "../lib/words";

export default function InsightPage() {
  const id = useParams<{ id: string }>().id;
  const given = parseTrends(useQueryString());
  const { data, error, refetch } = useQuery(allInsightsQuery);
  const insight = data?.insights.find((each) => each.insight_id === id);
  const said = useSaid();
  useTitle(said(insight?.title ?? "Insight"));
  if (data === undefined) {
    return error !== null ? (
      <Failed error={error} again={() => void refetch()} />
    ) : (
      <div role="status" aria-label="Loading"><Skeleton className="h-96 rounded-2xl" /></div>
    );
  }
  if (insight === undefined) {
    return (
      <>
        <Empty title="There is no such insight now" icon={<SearchX aria-hidden="true" className="size-10" />}>
          <p>It may have been resolved or have expired since the link was made, or there never was one at this address.</p>
          <p className="mt-3 flex flex-wrap justify-center gap-4">
            <Link href="/" className="text-accent underline">What needs attention now</Link>
            {given.metrics.length > 0 && (
              <Link href={trendsLink(given)} className="text-accent underline">What the values did</Link>
            )}
          </p>
        </Empty>
      </>
    );
  }
  return <Whole insight={insight} />;
}

/** The span around the evidence: as much before as is needed to see what is usual, and to now while it lasts. */
export function spanAround(insight: Insight, now: number): { from: number; to: number } {
  const { start, end } = evidenceOf(insight);
  const first = start ?? insight.created_at;
  const last = insight.status === "resolved" ? Math.max(end ?? insight.updated_at, insight.updated_at) : now;
  const before = Math.min(7 * DAY, Math.max(6 * 3600, 4 * (last - first)));
  return { from: first - before, to: Math.min(now, last + before / 4) };
}

function Whole({ insight }: { insight: Insight }) {
  const said = useSaid();
  const now = useNow(30);
  const wanted = usePreferences();
  const deeds = useDeeds();
  const offered = useOffered(insight.insight_id);
  const evidence = evidenceOf(insight);
  const lately = useNow(300);
  const around = useMemo(() => spanAround(insight, lately), [insight, lately]);
  const metrics = useMemo(() => (insight.metric === null || insight.metric === "*" ? [] : [insight.metric]), [insight]);
  const charts = useQuery(chartsQuery(metrics, around.from, around.to, 480));
  const related = useQuery(correlationsQuery(168));
  const partners = useMemo(() => {
    const all = related.data;
    if (all === undefined) return [];
    return all.cells
      .filter((cell) => all.metrics[cell.a]?.metric === insight.metric || all.metrics[cell.b]?.metric === insight.metric)
      .sort((a, b) => Math.abs(b.coefficient) - Math.abs(a.coefficient))
      .slice(0, 4)
      .flatMap((cell) => {
        const other = all.metrics[all.metrics[cell.a]?.metric === insight.metric ? cell.b : cell.a];
        return other === undefined ? [] : [{ ...other, text: cell.text }];
      });
  }, [related.data, insight.metric]);
  const series = charts.data?.series[0];
  const shade = { start: evidence.start ?? insight.created_at, end: shadeEnd(insight, evidence, around.to) };
  const baseline = baselineText(evidence, wanted);
  const view = { metrics: [...metrics, ...partners.map((each) => each.metric)], from: around.from, to: around.to, table: false };
  const link = `${insightLink(insight.insight_id)}?${trendsSearch(view)}`;
  return (
    <article aria-label={said(insight.title)}>
      <header className="mb-5 max-w-4xl">
        <SeverityMark severity={insight.severity} />
        <h1 className="mt-2 text-3xl font-semibold tracking-tight text-balance sm:text-4xl">{said(insight.title)}</h1>
        <p className="mt-3 mb-4 max-w-prose text-lg text-soft text-pretty">{said(insight.description)}</p>
        {insight.status !== "resolved" && <Marks insight={insight} whole />}
      </header>
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,2fr)_minmax(20rem,1fr)]">
        <div className="min-w-0 space-y-4">
          {metrics.length > 0 && (
            <section aria-label="Evidence" className="card p-4 sm:p-5">
              <h2 className="mb-2 text-sm font-semibold text-soft">What the values did{baseline !== undefined && `; ${baseline}`}</h2>
              {series === undefined || charts.data === undefined ? (
                <Skeleton className="h-64" />
              ) : (
                <TrendChart series={series} stepSeconds={charts.data.step_seconds} span={{ start: around.from, end: around.to }} colour="var(--series-1)" height={280} shade={shade} />
              )}
              <p className="mt-3 flex flex-wrap gap-x-5 gap-y-1 text-sm">
                <Link href={trendsLink(view)} className="text-accent underline">Look closer in Trends</Link>
              </p>
            </section>
          )}
          {evidence.moved.length > 0 && (
            <section aria-label="What moved at the same time" className="card p-4 sm:p-5">
              <h2 className="mb-1 text-sm font-semibold text-soft">Moves with</h2>
              <p className="mb-2 text-xs text-soft">What shifted at the same time. That does not tell which is the cause.</p>
              <ul>
                {evidence.moved.map((each) => (
                  <li key={each.metric}>
                    <Link href={trendsLink({ ...view, metrics: [...metrics, each.metric] })} className="flex min-h-11 items-center rounded-lg px-2 text-sm hover:bg-raised">
                      {movedText(each, wanted)}
                    </Link>
                  </li>
                ))}
              </ul>
            </section>
          )}
          {partners.length > 0 && (
            <section aria-label="What moves along" className="card p-4 sm:p-5">
              <h2 className="mb-1 text-sm font-semibold text-soft">What it usually moves with</h2>
              <p className="mb-2 text-xs text-soft">Over the last 7 days. That they move together does not tell which is the cause.</p>
              <ul>
                {partners.map((each) => (
                  <li key={each.metric}>
                    <Link href={trendsLink({ ...view, metrics: [...metrics, each.metric] })} className="flex min-h-11 items-center rounded-lg px-2 text-sm hover:bg-raised">
                      {each.text}
                    </Link>
                  </li>
                ))}
              </ul>
            </section>
          )}
        </div>
        <div className="min-w-0 space-y-4">
          <section aria-label="What to do" className="card p-4 sm:p-5">
            <h2 className="mb-3 text-sm font-semibold text-soft">What to do</h2>
            <ul className="space-y-3">
              {insight.recommendations.map((text) => (
                <li key={text} className="flex gap-3">
                  <Lightbulb aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-accent" />
                  {said(text)}
                </li>
              ))}
            </ul>
            <Deeds insight={insight} whole />
            {insight.actions.filter(({ text }) => !offered.has(text)).map((action) => (
              <p key={action.action} className="mt-4 rounded-xl bg-raised p-3 text-sm">
                <span className="font-medium">{said(action.text)}.</span> <span className="text-soft">{said(action.estimated_impact)}.</span>
              </p>
            ))}
          </section>
          <section aria-label="Facts" className="card p-4 sm:p-5">
            <h2 className="mb-3 text-sm font-semibold text-soft">How sure, and since when</h2>
            <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2 text-sm">
              <Fact name="Confidence">{percent(insight.confidence)}</Fact>
              <Fact name="Impact">{impactText(insight, evidence, wanted)}</Fact>
              {evidence.value !== undefined && <Fact name="Value">{shownText(evidence.value, evidence.unit, wanted)}</Fact>}
              {baseline !== undefined && <Fact name="Compared with">{baseline}</Fact>}
              {evidence.samples !== undefined && evidence.start !== undefined && (
                <Fact name="Rests on">{counted(evidence.samples, "value")} over {span((evidence.end ?? now) - evidence.start)}</Fact>
              )}
              {evidence.coverage !== undefined && <Fact name="Coverage">{percent(evidence.coverage)} of that time was measured</Fact>}
              {evidence.start !== undefined && <Fact name="Began">{moment(evidence.start)}</Fact>}
              <Fact name="Told">{moment(insight.created_at)}, {ago(now - insight.created_at)}</Fact>
              <Fact name="Last change">{ago(now - insight.updated_at)}</Fact>
              {insight.expires_at !== null && <Fact name="Forgotten">{moment(insight.expires_at)}, unless it goes on</Fact>}
              <Fact name="State">{lifeText(insight, underwayFor(deeds, insight.insight_id))}</Fact>
              {insight.not_useful > 0 && <Fact name="Called not useful">{counted(insight.not_useful, "time")}</Fact>}
            </dl>
            <CopyLink address={link} />
          </section>
        </div>
      </div>
    </article>
  );
}

/** On plain http, as on most LANs, a page may not write to the clipboard: then the address is shown to be copied. */
function CopyLink({ address }: { address: string }) {
  const [state, setState] = useState<"idle" | "copied" | "shown">("idle");
  const full = new URL(address, location.href).href;
  if (state === "shown") {
    return (
      <label className="mt-4 flex flex-col gap-1 text-sm text-soft">
        The link to this
        <input className="field w-full" readOnly value={full} onFocus={(event) => event.target.select()} />
      </label>
    );
  }
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(full);
      setState("copied");
    } catch {
      setState("shown");
    }
  };
  return (
    <Button className="mt-4" onClick={() => void copy()}>
      <Link2 aria-hidden="true" className="size-4" /> {state === "copied" ? "Copied" : "Copy a link to this"}
    </Button>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <dt className="text-soft">{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
