// What a threshold is made of, as fields: for a new one and for one that is changed. Limits are in the reader's units.
import { useState } from "react";
import type { FormEvent, ReactNode } from "react";
import type { Schemas } from "../../api/client";
import { Field, Select } from "../../components/form";
import { usePreferences } from "../../lib/preferences";
import { conversion, given, givenDifference } from "../../lib/units";

export type Threshold = Schemas["ThresholdResponse"];
export type Wanted = Omit<Schemas["ThresholdRequest"], "name" | "metric" | "role" | "enabled">;

interface ThresholdFormProps {
  readonly label: string;
  readonly unit: string | null | undefined;
  readonly known?: Threshold | undefined;
  readonly children: ReactNode; // buttons
  readonly onSubmit: (wanted: Wanted, form: HTMLFormElement) => void;
}

const SILENCE = [["keep", "changes nothing"], ["alert", "is an alert, too"], ["resolve", "ends the alert"]] as const;
export const SEVERITIES = [["low", "good to know"], ["medium", "worth a look"], ["high", "important"], ["critical", "critical"]] as const;

export function ThresholdForm({ label, unit, known, children, onSubmit }: ThresholdFormProps) {
  const wanted = usePreferences();
  const [condition, setCondition] = useState<string>(known?.condition ?? "above");
  const change = conversion(unit, wanted);
  const shownUnit = change?.to ?? unit;
  const inUnit = shownUnit == null ? "" : ` (${shownUnit})`;
  const shown = (value: number | null | undefined) => (value == null ? undefined : Number((change?.of(value) ?? value).toPrecision(6)));
  const [low, high] = [shown(known?.low ?? known?.value), shown(known?.high ?? known?.value)];
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const number = (name: string) => Number(data.get(name));
    const limit = (name: string) => given(number(name), unit, wanted);
    onSubmit(
      {
        condition: condition as Wanted["condition"],
        value: condition === "outside" ? null : limit("value"),
        low: condition === "outside" ? limit("low") : null,
        high: condition === "outside" ? limit("high") : null,
        min_duration_s: number("minutes") * 60,
        hysteresis: givenDifference(number("hysteresis"), unit, wanted),
        severity: data.get("severity") as Threshold["severity"],
        missing: data.get("missing") as Threshold["missing"],
        missing_after_s: number("missing_after") * 60,
        recover_after_s: known?.recover_after_s ?? 60,
        category: known?.category ?? "reliability",
      },
      event.currentTarget,
    );
  };
  return (
    <form aria-label={label} onSubmit={submit} className="space-y-4">
      <div className="flex flex-wrap gap-3">
        <Select label="Tell me when it is" value={condition} onChange={(event) => setCondition(event.target.value)} options={[["above", "above"], ["below", "below"], ["outside", "outside a range"]]} />
        {condition === "outside" ? (
          <>
            <Field label={`Lowest${inUnit}`} name="low" type="number" step="any" required defaultValue={low} />
            <Field label={`Highest${inUnit}`} name="high" type="number" step="any" required defaultValue={high} />
          </>
        ) : (
          <Field label={`Limit${inUnit}`} name="value" type="number" step="any" required defaultValue={condition === "below" ? low : high} />
        )}
        <Field label="For at least (minutes)" name="minutes" type="number" min={0} max={1440} step="any" required defaultValue={(known?.min_duration_s ?? 0) / 60} />
        <Select label="It is" name="severity" defaultValue={known?.severity ?? "medium"} options={SEVERITIES} />
      </div>
      <details className="text-sm">
        <summary className="min-h-11 cursor-pointer py-2.5 text-soft">When it ends, and what silence means</summary>
        <div className="mt-2 flex flex-wrap gap-3">
          <Field
            label={`Over when it is back inside by${inUnit}`}
            name="hysteresis"
            type="number"
            min={0}
            step="any"
            required
            defaultValue={known === undefined ? 0 : Number(((change === undefined ? 1 : change.of(1) - change.of(0)) * known.hysteresis).toPrecision(6))}
          />
          <Select label="No values" name="missing" defaultValue={known?.missing ?? "keep"} options={SILENCE} />
          <Field label="Silent after (minutes)" name="missing_after" type="number" min={0.1} step="any" required defaultValue={(known?.missing_after_s ?? 300) / 60} />
        </div>
      </details>
      {children}
    </form>
  );
}
