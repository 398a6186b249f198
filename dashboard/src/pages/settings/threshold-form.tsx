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
const DIGITS = 7; // significant ones of what was converted: what is stored of a converted number is right in nine
const WEEK = 7 * 24 * 60; // minutes, the longest that the service takes
export const SEVERITIES = [["low", "good to know"], ["medium", "worth a look"], ["high", "important"], ["critical", "critical"]] as const;

export function ThresholdForm({ label, unit, known, children, onSubmit }: ThresholdFormProps) {
  const wanted = usePreferences();
  const [condition, setCondition] = useState<string>(known?.condition ?? "above");
  const change = conversion(unit, wanted);
  const shownUnit = change?.to ?? unit;
  const inUnit = shownUnit == null ? "" : ` (${shownUnit})`;
  const rounded = (value: number) => Number(value.toPrecision(DIGITS));
  const shown = (value: number | null | undefined) => (value == null || change === undefined ? (value ?? undefined) : rounded(change.of(value)));
  const minutes = (seconds: number) => rounded(seconds / 60);
  const [knownLow, knownHigh] = [known?.low ?? known?.value, known?.high ?? known?.value];
  const [low, high] = [shown(knownLow), shown(knownHigh)];
  const hysteresis = known?.hysteresis ?? 0;
  const silentAfter = known?.missing_after_s ?? 300;
  const shownHysteresis = change === undefined ? hysteresis : rounded((change.of(1) - change.of(0)) * hysteresis);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    /** What a field says; one that says what it began with is what is stored, to its last digit. */
    const read = (name: string, before: number | undefined, stored: number | null | undefined, of: (value: number) => number) =>
      stored != null && Number(data.get(name)) === before ? stored : of(Number(data.get(name)));
    const limit = (name: string, before: number | undefined, stored: number | null | undefined) => read(name, before, stored, (value) => given(value, unit, wanted));
    const seconds = (name: string, stored: number) => read(name, minutes(stored), stored, (value) => value * 60);
    onSubmit(
      {
        condition: condition as Wanted["condition"],
        value: condition === "outside" ? null : condition === "below" ? limit("value", low, knownLow) : limit("value", high, knownHigh),
        low: condition === "outside" ? limit("low", low, knownLow) : null,
        high: condition === "outside" ? limit("high", high, knownHigh) : null,
        min_duration_s: seconds("minutes", known?.min_duration_s ?? 0),
        hysteresis: read("hysteresis", shownHysteresis, hysteresis, (value) => givenDifference(value, unit, wanted)),
        severity: data.get("severity") as Threshold["severity"],
        missing: data.get("missing") as Threshold["missing"],
        missing_after_s: seconds("missing_after", silentAfter),
        recover_after_s: known?.recover_after_s ?? 60,
        category: known?.category ?? "reliability",
      },
      event.currentTarget,
    );
  };
  return (
    // What is stored is said anew in another unit; what somebody is typing for a new one stays.
    <form key={known === undefined ? "" : shownUnit} aria-label={label} onSubmit={submit} className="space-y-4">
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
        <Field label="For at least (minutes)" name="minutes" type="number" min={0} max={WEEK} step="any" required defaultValue={minutes(known?.min_duration_s ?? 0)} />
        <Select label="It is" name="severity" defaultValue={known?.severity ?? "medium"} options={SEVERITIES} />
      </div>
      {/* What is wrong in there could not be told while it is closed. */}
      <details className="text-sm" onInvalidCapture={(event) => { event.currentTarget.open = true; }}>
        <summary className="min-h-11 cursor-pointer py-2.5 text-soft">When it ends, and what silence means</summary>
        <div className="mt-2 flex flex-wrap gap-3">
          <Field
            label={`Over when it is back inside by${inUnit}`}
            name="hysteresis"
            type="number"
            min={0}
            step="any"
            required
            defaultValue={shownHysteresis}
          />
          <Select label="No values" name="missing" defaultValue={known?.missing ?? "keep"} options={SILENCE} />
          <Field label="Silent after (minutes)" name="missing_after" type="number" min={1 / 60} max={WEEK} step="any" required defaultValue={minutes(silentAfter)} />
        </div>
      </details>
      {children}
    </form>
  );
}
