// KPIs: figures worked out by the service, with what they should be.
import { useQuery } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { FormEvent } from "react";
import { Link } from "wouter";
import { attempt, send } from "../../api/changes";
import { request } from "../../api/client";
import type { Schemas } from "../../api/client";
import { Field } from "../../components/form";
import { Button, Failed, Skeleton } from "../../components/parts";
import { trendsLink } from "../../lib/links";
import { usePreferences } from "../../lib/preferences";
import { shownText } from "../../lib/units";

type Kpi = Schemas["KpiResponse"];
const PATH = "/api/analytics/kpis";

export default function Kpis() {
  const { data, error, refetch } = useQuery({ queryKey: ["kpis"], queryFn: () => request<Schemas["KpisResponse"]>(PATH), refetchInterval: 60_000 });
  if (data === undefined) return error === null ? <Skeleton className="h-64 rounded-2xl" /> : <Failed error={error} again={() => void refetch()} />;
  return (
    <div className="space-y-4">
      <section aria-label="Figures" className="card px-5 py-2">
        <ul className="divide-y">
          {data.kpis.map((kpi) => (
            <Item key={kpi.id} kpi={kpi} />
          ))}
        </ul>
      </section>
      <NewKpi />
    </div>
  );
}

function Item({ kpi }: { kpi: Kpi }) {
  const wanted = usePreferences();
  const unit = kpi.unit === "" ? null : kpi.unit;
  const target = [
    kpi.target_low === null ? "" : `at least ${shownText(kpi.target_low, unit, wanted)}`,
    kpi.target_high === null ? "" : `at most ${shownText(kpi.target_high, unit, wanted)}`,
  ].filter(Boolean);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 py-3">
      <div className="min-w-0 flex-1">
        <p className="font-medium">{kpi.name}</p>
        <p className="text-sm text-soft">{kpi.description ?? kpi.expression}</p>
        {target.length > 0 && (
          <p className={`text-sm ${kpi.target_met === false ? "text-warning" : "text-soft"}`}>
            should be {target.join(" and ")}{kpi.target_met === false && ": it is not"}
          </p>
        )}
      </div>
      <Link href={trendsLink({ metrics: [kpi.metric], from: -30 * 86_400 })} className="rounded-lg px-2 py-1 text-lg font-semibold tabular-nums hover:bg-raised">
        {kpi.value === null ? "not known yet" : shownText(kpi.value, unit, wanted)}
      </Link>
      {!kpi.shipped && (
        <Button tone="quiet" aria-label={`Delete ${kpi.name}`} onClick={() => void attempt(() => send("DELETE", `${PATH}/${kpi.id}`), ["kpis"])}>
          <Trash2 aria-hidden="true" className="size-4" />
        </Button>
      )}
    </li>
  );
}

function NewKpi() {
  const [result, setResult] = useState("");
  const read = (form: HTMLFormElement) => {
    const given = new FormData(form);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    return { name: text("name"), expression: text("expression"), ...(text("unit") === "" ? {} : { unit: text("unit") }) };
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const body = read(form);
    const id = body.name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+/, "").slice(0, 64) || "figure";
    void attempt(() => send("POST", PATH, { id, ...body }), ["kpis"]).then((done) => done && form.reset());
  };
  const check = async (form: HTMLFormElement) => {
    const { expression, unit } = read(form) as { expression: string; unit?: string };
    try {
      const answer = await send<Schemas["KpiCheckResponse"]>("POST", `${PATH}/check`, { expression, ...(unit === undefined ? {} : { unit }) });
      setResult(answer.value === null ? "It is well-formed; there is no value yet." : `Now: ${answer.value} ${answer.unit ?? ""}`);
    } catch (error) {
      setResult(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form onSubmit={submit} className="card space-y-4 p-5">
      <h2 className="font-semibold">A new figure</h2>
      <div className="flex flex-wrap gap-3">
        <Field label="Name" name="name" required maxLength={120} />
        <Field label="Unit (if you want it checked)" name="unit" maxLength={16} />
      </div>
      <Field label="Expression" name="expression" required maxLength={500} placeholder='avg("battery.house.voltage", "24h")' spellCheck={false} />
      <p aria-live="polite" className="text-sm text-soft">{result}</p>
      <div className="flex gap-2">
        <Button type="submit" tone="accent">Add it</Button>
        <Button onClick={(event) => event.currentTarget.form !== null && void check(event.currentTarget.form)}>Try it</Button>
      </div>
    </form>
  );
}
