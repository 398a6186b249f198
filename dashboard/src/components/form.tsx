// Fields of forms: a label, what it takes, and what is wrong with it.
import { useState } from "react";
import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes } from "react";

export function Field({ label, ...rest }: InputHTMLAttributes<HTMLInputElement> & { label: string }) {
  return (
    <label className="flex min-w-28 flex-1 flex-col gap-1 text-sm text-soft">
      {label}
      <input className="field w-full min-w-0" {...rest} />
    </label>
  );
}

export function Select({ label, options, ...rest }: SelectHTMLAttributes<HTMLSelectElement> & { label: string; options: readonly (readonly [string, string])[] }) {
  return (
    <label className="flex min-w-28 flex-1 flex-col gap-1 text-sm text-soft">
      {label}
      <select className="field w-full min-w-0" {...rest}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Shows what was wanted at once, and what is so when `onChange` is done. */
export function Toggle({ label, checked, onChange }: { label: ReactNode; checked: boolean; onChange: (on: boolean) => Promise<unknown> }) {
  const [wanted, setWanted] = useState<boolean | undefined>();
  return (
    <label className="inline-flex min-h-11 cursor-pointer items-center gap-3 text-sm">
      <input
        type="checkbox"
        checked={wanted ?? checked}
        onChange={(event) => {
          setWanted(event.target.checked);
          void onChange(event.target.checked).finally(() => setWanted(undefined));
        }}
        className="size-5 shrink-0 accent-(--accent)"
      />
      {label}
    </label>
  );
}
