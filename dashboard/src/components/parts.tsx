// The small parts that everything is made of.
import type { ComponentProps, ReactNode } from "react";

export function cx(...names: readonly (string | false | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

type ButtonProps = ComponentProps<"button"> & { tone?: "plain" | "accent" | "quiet" };

const TONES = {
  plain: "border bg-raised text-ink hover:border-accent",
  accent: "bg-accent text-on-accent hover:opacity-90",
  quiet: "text-soft hover:bg-raised hover:text-ink",
} as const;

export function Button({ tone = "plain", className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(
        "inline-flex min-h-11 max-w-full items-center justify-center gap-2 rounded-[0.625rem] px-3.5 text-sm font-medium transition-colors",
        "disabled:cursor-not-allowed disabled:opacity-50",
        TONES[tone],
        className,
      )}
      {...rest}
    />
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden="true" className={cx("animate-pulse rounded-lg bg-raised", className)} />;
}

export function Empty({ title, children, icon }: { title: string; children?: ReactNode; icon?: ReactNode }) {
  return (
    <div className="card flex flex-col items-center gap-2 px-6 py-10 text-center">
      {icon !== undefined && <div className="text-soft">{icon}</div>}
      <h2 className="text-lg font-semibold">{title}</h2>
      <div className="w-full max-w-prose min-w-0 text-sm text-soft">{children}</div>
    </div>
  );
}

export function Failed({ error, again }: { error: Error; again: () => void }) {
  return (
    <div role="alert" className="card flex flex-wrap items-center justify-between gap-3 px-5 py-4">
      <p className="text-sm">
        <span className="font-semibold">This could not be loaded.</span> <span className="text-soft">{error.message}</span>
      </p>
      <Button onClick={again}>Try again</Button>
    </div>
  );
}

export function PageHeader({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-2">
      <h1 className="text-2xl font-semibold tracking-tight sm:text-3xl">{title}</h1>
      {children}
    </header>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value | undefined;
  readonly options: readonly (readonly [Value, string])[];
  readonly onChange: (value: Value) => void;
}

/** One of a few, all in sight. */
export function Choice<Value extends string>({ label, value, options, onChange }: ChoiceProps<Value>) {
  return (
    <div role="radiogroup" aria-label={label} className="flex flex-wrap gap-1 rounded-xl border bg-surface p-1">
      {options.map(([each, text]) => (
        <label
          key={each}
          className={cx(
            "relative inline-flex min-h-9 cursor-pointer items-center rounded-lg px-3 text-sm font-medium",
            "has-focus-visible:outline-2 has-focus-visible:outline-accent",
            each === value ? "bg-raised text-ink" : "text-soft hover:text-ink",
          )}
        >
          <input
            type="radio"
            name={label}
            value={each}
            checked={each === value}
            onChange={() => onChange(each)}
            className="absolute inset-0 cursor-pointer appearance-none opacity-0"
          />
          {text}
        </label>
      ))}
    </div>
  );
}
