// Thresholds: what a person wants to be told of, whatever is usual.
import { useQuery } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { FormEvent } from "react";
import { attempt, send } from "../../api/changes";
import { request } from "../../api/client";
import type { Schemas } from "../../api/client";
import { metricsQuery } from "../../api/queries";
import { Field, Select, Toggle } from "../../components/form";
import { MetricPicker } from "../../components/metric-picker";
import { Button, Failed, Skeleton } from "../../components/parts";
import { span } from "../../lib/times";

type Threshold = Schemas["ThresholdResponse"];
const PATH = "/api/analytics/thresholds";
const STAMPS = new Set(["id", "etag", "created_at", "updated_at", "persisted", "states"]);

export default function Thresholds() {
  const { data, error, refetch } = useQuery({ queryKey: ["thresholds"], queryFn: () => request<Schemas["ThresholdsResponse"]>(PATH), refetchInterval: 15_000 });
  if (data === undefined) return error === null ? <Skeleton className="h-64 rounded-2xl" /> : <Failed error={error} again={() => void refetch()} />;
  return (
    <div className="space-y-4">
      <section aria-label="Thresholds" className="card px-5 py-2">
        {data.thresholds.length === 0 && <p className="py-6 text-sm text-soft">No thresholds yet. The catalogue's own limits and what is usual are watched all the same.</p>}
        <ul className="divide-y">
          {data.thresholds.map((each) => (
            <Item key={each.id} threshold={each} />
          ))}
        </ul>
      </section>
      <NewThreshold />
      {!data.persisted && <p className="text-sm text-soft">Nothing is kept on disk: these end with the service.</p>}
    </div>
  );
}

function limitText(each: Threshold): string {
  const [low, high] = [each.low ?? each.value, each.high ?? each.value];
  if (each.condition === "outside") return `outside ${low} to ${high}`;
  return each.condition === "above" ? `above ${high}` : `below ${low}`;
}

function Item({ threshold }: { threshold: Threshold }) {
  const firing = threshold.states.filter((state) => state.state === "firing");
  const put = (change: Partial<Threshold>) =>
    attempt(() => {
      // An answer tells a limit by both of its names; a request takes one.
      const twice = threshold.condition === "outside" ? ["value"] : ["low", "high"];
      const body = Object.fromEntries(
        Object.entries({ ...threshold, ...change }).filter(([name]) => !STAMPS.has(name) && !twice.includes(name)),
      );
      return send("PUT", `${PATH}/${threshold.id}`, body, threshold.etag);
    }, ["thresholds"]);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 py-3">
      <div className="min-w-0 flex-1">
        <p className="font-medium">{threshold.name}</p>
        <p className="text-sm text-soft">
          {threshold.metric ?? `every ${threshold.role ?? ""}`} {limitText(threshold)}
          {threshold.min_duration_s > 0 && ` for ${span(threshold.min_duration_s)}`}, {threshold.severity}
          {firing.length > 0 && <span className="font-medium text-critical">, firing now</span>}
        </p>
      </div>
      <Toggle label="On" checked={threshold.enabled} onChange={(enabled) => void put({ enabled })} />
      <Button tone="quiet" aria-label={`Delete ${threshold.name}`} onClick={() => void attempt(() => send("DELETE", `${PATH}/${threshold.id}`), ["thresholds"])}>
        <Trash2 aria-hidden="true" className="size-4" />
      </Button>
    </li>
  );
}

function NewThreshold() {
  const metrics = useQuery(metricsQuery);
  const [metric, setMetric] = useState<string | undefined>();
  const [condition, setCondition] = useState("above");
  const chosen = metrics.data?.metrics.find((each) => each.name === metric);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const number = (name: string) => Number(given.get(name));
    const body = {
      metric,
      condition,
      ...(condition === "outside" ? { low: number("low"), high: number("high") } : { value: number("value") }),
      min_duration_s: number("minutes") * 60,
      severity: given.get("severity"),
    };
    void attempt(() => send("POST", PATH, body), ["thresholds"]).then((done) => {
      if (!done) return;
      form.reset();
      setMetric(undefined);
    });
  };
  return (
    <form onSubmit={submit} className="card space-y-4 p-5">
      <h2 className="font-semibold">A new threshold</h2>
      <div className="flex flex-wrap items-center gap-3">
        <MetricPicker label={metric === undefined ? "Choose a metric" : "Another metric"} chosen={metric === undefined ? [] : [metric]} onToggle={setMetric} closes />
        {metric !== undefined && <span className="text-sm">{chosen?.title ?? metric}</span>}
      </div>
      <div className="flex flex-wrap gap-3">
        <Select label="Tell me when it is" value={condition} onChange={(event) => setCondition(event.target.value)} options={[["above", "above"], ["below", "below"], ["outside", "outside a range"]]} />
        {condition === "outside" ? (
          <>
            <Field label="Lowest" name="low" type="number" step="any" required />
            <Field label="Highest" name="high" type="number" step="any" required />
          </>
        ) : (
          <Field label={`Limit${chosen?.unit == null ? "" : ` (${chosen.unit})`}`} name="value" type="number" step="any" required />
        )}
        <Field label="For at least (minutes)" name="minutes" type="number" min={0} max={1440} step="any" defaultValue={0} required />
        <Select label="It is" name="severity" defaultValue="medium" options={[["low", "good to know"], ["medium", "worth a look"], ["high", "important"], ["critical", "critical"]]} />
      </div>
      <Button type="submit" tone="accent" disabled={metric === undefined}>
        Set it
      </Button>
    </form>
  );
}
