// Thresholds: what a person wants to be told of, whatever is usual.
import { useQuery } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { attempt, save, send } from "../../api/changes";
import { request } from "../../api/client";
import type { Schemas } from "../../api/client";
import { metricsQuery } from "../../api/queries";
import type { MetricEntry } from "../../api/queries";
import { Toggle } from "../../components/form";
import { MetricPicker } from "../../components/metric-picker";
import { Button, Failed, Skeleton } from "../../components/parts";
import { Stale } from "../../components/stale";
import { usePreferences } from "../../lib/preferences";
import type { Preferences } from "../../lib/preferences";
import { span } from "../../lib/times";
import { furthestText } from "../../lib/words";
import { shownText } from "../../lib/units";
import { useNow } from "../../lib/hooks";
import { SEVERITIES, ThresholdForm } from "./threshold-form";
import type { Threshold, Wanted } from "./threshold-form";

const PATH = "/api/analytics/thresholds";
const STAMPS = new Set(["id", "etag", "created_at", "updated_at", "persisted", "states"]);
const SEVERITY_WORDS: Readonly<Record<string, string>> = Object.fromEntries(SEVERITIES);

export default function Thresholds() {
  const { data, error, refetch } = useQuery({ queryKey: ["thresholds"], queryFn: () => request<Schemas["ThresholdsResponse"]>(PATH), refetchInterval: 15_000 });
  const metrics = useQuery(metricsQuery).data?.metrics;
  if (data === undefined) return error === null ? <Skeleton className="h-64 rounded-2xl" /> : <Failed error={error} again={() => void refetch()} />;
  return (
    <div className="space-y-4">
      <section aria-label="Thresholds" className="card px-5 py-2">
        {data.thresholds.length === 0 && (
          <p className="py-6 text-sm text-soft">No thresholds yet. The limits that come with the service, and what is usual for this coach, are watched all the same.</p>
        )}
        <ul className="divide-y">
          {data.thresholds.map((each) => (
            <Item
              key={each.id}
              threshold={each}
              metric={metrics?.find(({ name, role }) => (each.metric === null ? role === each.role : name === each.metric))}
              titleOf={(name) => metrics?.find((metric) => metric.name === name)?.title ?? name}
            />
          ))}
        </ul>
      </section>
      <NewThreshold metrics={metrics ?? []} />
      {!data.persisted && <p className="text-sm text-soft">Nothing is kept on disk: these end with the service.</p>}
    </div>
  );
}

function limitText(each: Threshold, unit: string | null | undefined, wanted: Preferences): string {
  const [low, high] = [shownText(each.low ?? each.value, unit, wanted), shownText(each.high ?? each.value, unit, wanted)];
  if (each.condition === "outside") return `outside ${low} to ${high}`;
  return each.condition === "above" ? `above ${high}` : `below ${low}`;
}

function Item({ threshold, metric, titleOf }: {
  readonly threshold: Threshold;
  readonly metric: MetricEntry | undefined;
  readonly titleOf: (name: string) => string;
}) {
  const wanted = usePreferences();
  const now = useNow(30);
  const [edited, setEdited] = useState<Threshold | undefined>(); // as it was when editing began
  const [isStale, setStale] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  /** Back to where editing began, for who is there by keyboard. */
  const leave = () => {
    setEdited(undefined);
    pencil.current?.focus();
  };
  const [isSwitching, setSwitching] = useState(false); // until that is loaded, an edit would begin with what was before
  const firing = threshold.states.filter((state) => state.state === "firing");
  const name = threshold.metric === null ? `every ${threshold.role?.replaceAll("_", " ") ?? ""}` : (metric?.title ?? threshold.metric);
  const bodyOf = (whole: object) => Object.fromEntries(Object.entries(whole).filter(([member]) => !STAMPS.has(member)));
  const toggle = (enabled: boolean) => {
    // An answer tells a limit by both of its names; a request takes one.
    const twice = threshold.condition === "outside" ? ["value"] : ["low", "high"];
    const body = Object.fromEntries(Object.entries(bodyOf({ ...threshold, enabled })).filter(([member]) => !twice.includes(member)));
    setSwitching(true);
    return attempt(() => send("PUT", `${PATH}/${threshold.id}`, body, threshold.etag), ["thresholds"]).finally(() => setSwitching(false));
  };
  const change = async (next: Wanted) => {
    if (edited === undefined) return;
    const { metric: of, role, enabled } = edited;
    const named = edited.name.startsWith(`${of ?? role ?? ""} `) ? {} : { name: edited.name }; // a made name is made anew
    const outcome = await save(() => send("PUT", `${PATH}/${threshold.id}`, { ...next, ...named, metric: of, role, enabled }, edited.etag), ["thresholds"]);
    setStale(outcome === "stale");
    if (outcome === "done") leave();
  };
  return (
    <li className="py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <div className="min-w-0 flex-1 basis-52">
          <p className="font-medium">{name}</p>
          <p className="text-sm text-soft">
            {limitText(threshold, metric?.unit, wanted)}
            {threshold.min_duration_s > 0 && ` for ${span(threshold.min_duration_s)}`}, {SEVERITY_WORDS[threshold.severity]}
            {firing.map((state) => (
              <span key={state.metric} className="font-medium text-critical">
                , {threshold.metric === null && `${titleOf(state.metric)} `}firing for {span(now - state.since)}
                {furthestText(state, metric?.unit, wanted)}
              </span>
            ))}
          </p>
        </div>
        <Toggle label="On" checked={threshold.enabled} onChange={(enabled) => toggle(enabled)} />
        <Button ref={pencil} tone="quiet" disabled={isSwitching} aria-label={`Change ${threshold.name}`} aria-expanded={edited !== undefined} onClick={() => { setStale(false); setEdited(edited === undefined ? threshold : undefined); }}>
          <Pencil aria-hidden="true" className="size-4" />
        </Button>
        <Button tone="quiet" aria-label={`Delete ${threshold.name}`} onClick={() => void attempt(() => send("DELETE", `${PATH}/${threshold.id}`), ["thresholds"])}>
          <Trash2 aria-hidden="true" className="size-4" />
        </Button>
      </div>
      {edited !== undefined && (
        <div className="my-3 rounded-xl border p-4">
          {isStale && <Stale what="this threshold" onReload={() => { setStale(false); setEdited(threshold); }} />}
          <ThresholdForm key={edited.etag} label={`Change ${threshold.name}`} unit={metric?.unit} known={edited} onSubmit={(next) => void change(next)}>
            <div className="flex gap-2">
              <Button type="submit" tone="accent">Save</Button>
              <Button tone="quiet" onClick={leave}>Leave it</Button>
            </div>
          </ThresholdForm>
        </div>
      )}
    </li>
  );
}

function NewThreshold({ metrics }: { metrics: readonly MetricEntry[] }) {
  const [metric, setMetric] = useState<string | undefined>();
  const chosen = metrics.find((each) => each.name === metric);
  const create = (wanted: Wanted, form: HTMLFormElement) => {
    void attempt(() => send("POST", PATH, { ...wanted, metric }), ["thresholds"]).then((done) => {
      if (!done) return;
      form.reset();
      setMetric(undefined);
    });
  };
  return (
    <section aria-label="A new threshold" className="card space-y-4 p-5">
      <h2 className="font-semibold">A new threshold</h2>
      <div className="flex flex-wrap items-center gap-3">
        <MetricPicker label={metric === undefined ? "Choose a metric" : "Another metric"} chosen={metric === undefined ? [] : [metric]} onToggle={setMetric} closes />
        <span className="text-sm">{metric === undefined ? <span className="text-soft">What is to be watched?</span> : (chosen?.title ?? metric)}</span>
      </div>
      <ThresholdForm label="A new threshold" unit={chosen?.unit} onSubmit={create}>
        <Button type="submit" tone="accent" disabled={metric === undefined}>Set it</Button>
      </ThresholdForm>
    </section>
  );
}
