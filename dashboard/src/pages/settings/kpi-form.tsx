// What a figure is made of, as fields: for a new one and for one that is changed.
import { useState } from "react";
import type { FormEvent, ReactNode } from "react";
import { send } from "../../api/changes";
import type { Schemas } from "../../api/client";
import { Field } from "../../components/form";
import { Button } from "../../components/parts";

export type Kpi = Schemas["KpiResponse"];
export type WantedKpi = Schemas["KpiRequest"];

function told({ value, unit, missing }: Schemas["KpiCheckResponse"]): string {
  if (value !== null) return `Now: ${value} ${unit ?? ""}`;
  if (missing.length === 0) return "It is well-formed; there is no value yet.";
  return `It is well-formed, but nothing has been recorded under ${missing.map((name) => `“${name}”`).join(" and ")} yet.`;
}

export function KpiForm({ label, known, children, onSubmit }: {
  readonly label: string;
  readonly known?: Kpi | undefined;
  readonly children: ReactNode;
  readonly onSubmit: (wanted: WantedKpi, form: HTMLFormElement) => void;
}) {
  const [result, setResult] = useState("");
  const read = (form: HTMLFormElement): WantedKpi => {
    const given = new FormData(form);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    const orNull = (name: string) => (text(name) === "" ? null : text(name));
    const number = (name: string) => (text(name) === "" ? null : Number(text(name)));
    return {
      name: text("name"), expression: text("expression"), unit: orNull("unit"), description: orNull("description"),
      target_low: number("target_low"), target_high: number("target_high"),
    }; // prettier-ignore
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSubmit(read(event.currentTarget), event.currentTarget);
  };
  const check = async (form: HTMLFormElement) => {
    const { expression, unit } = read(form);
    try {
      const answer = await send<Schemas["KpiCheckResponse"]>("POST", "/api/analytics/kpis/check", { expression, unit });
      setResult(told(answer));
    } catch (error) {
      setResult(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form aria-label={label} onSubmit={submit} className="space-y-4">
      <div className="flex flex-wrap gap-3">
        <Field label="Name" name="name" required maxLength={120} defaultValue={known?.name} />
        <Field label="Unit (checked when given)" name="unit" maxLength={16} defaultValue={known?.unit ?? ""} />
      </div>
      <Field label="Expression" name="expression" required maxLength={500} placeholder='avg("battery.house.voltage", "24h")' spellCheck={false} defaultValue={known?.expression} />
      <p className="text-xs text-soft">
        A metric or “role:” and a role, and a window such as 30m, 24h, 7d, today, yesterday, night. Functions: avg, min, max, sum, last, delta, rate, p95, time_above and more, described at{" "}
        <a href="/docs" className="text-accent underline">/docs</a>.
      </p>
      <div className="flex flex-wrap gap-3">
        <Field label="Should be at least" name="target_low" type="number" step="any" defaultValue={known?.target_low ?? ""} />
        <Field label="Should be at most" name="target_high" type="number" step="any" defaultValue={known?.target_high ?? ""} />
        <Field label="In words" name="description" maxLength={500} defaultValue={known?.description ?? ""} />
      </div>
      <p aria-live="polite" className="text-sm text-soft">{result}</p>
      <div className="flex flex-wrap gap-2">
        {children}
        <Button onClick={(event) => event.currentTarget.form !== null && void check(event.currentTarget.form)}>Try it</Button>
      </div>
    </form>
  );
}
