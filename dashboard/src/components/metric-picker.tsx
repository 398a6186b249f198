// Finding metrics by name, however many there are.
import { useQuery } from "@tanstack/react-query";
import { Check, Plus, Search } from "lucide-react";
import { Popover } from "radix-ui";
import { useDeferredValue, useMemo, useState } from "react";
import { metricsQuery } from "../api/queries";
import type { MetricEntry } from "../api/queries";
import { cx, Skeleton } from "./parts";

const MOST = 60; // rows at once; more are found by typing

/** Those whose name or title holds every word, names that begin with the first one first. */
export function matching(metrics: readonly MetricEntry[], text: string): MetricEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = metrics.filter((metric) => {
    const name = `${metric.name} ${metric.title ?? ""}`.toLowerCase();
    return words.every((word) => name.includes(word));
  });
  const first = words[0];
  if (first === undefined) return found;
  return found.sort((a, b) => Number(b.name.toLowerCase().startsWith(first)) - Number(a.name.toLowerCase().startsWith(first)));
}

interface PickerProps {
  readonly label: string;
  readonly chosen: readonly string[];
  readonly onToggle: (name: string) => void;
  readonly closes?: boolean; // after one choice
}

export function MetricPicker({ label, chosen, onToggle, closes = false }: PickerProps) {
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="inline-flex min-h-11 items-center gap-2 rounded-[0.625rem] border bg-raised px-3.5 text-sm font-medium hover:border-accent">
        <Plus aria-hidden="true" className="size-4" />
        {label}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          aria-label={label}
          align="start"
          sideOffset={6}
          collisionPadding={12}
          className="z-50 flex max-h-[min(28rem,70dvh)] w-[min(26rem,calc(100vw-1.5rem))] flex-col rounded-2xl border bg-surface p-2 shadow-2xl"
        >
          <Finder
            chosen={chosen}
            onToggle={(name) => {
              onToggle(name);
              if (closes) setOpen(false);
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Finder({ chosen, onToggle }: { chosen: readonly string[]; onToggle: (name: string) => void }) {
  const { data, error } = useQuery(metricsQuery);
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text);
  const found = useMemo(() => matching(data?.metrics ?? [], wanted), [data, wanted]);
  return (
    <>
      <label className="flex items-center gap-2 rounded-xl border bg-raised px-3">
        <Search aria-hidden="true" className="size-4 shrink-0 text-soft" />
        <span className="sr-only">Find a metric</span>
        <input
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="battery, tank, temperature …"
          className="min-h-11 w-full bg-transparent text-sm outline-none placeholder:text-soft"
        />
      </label>
      <ul aria-label="Metrics" className="mt-2 min-h-0 flex-1 overflow-y-auto">
        {data === undefined && error === null && [0, 1, 2, 3].map((each) => <Skeleton key={each} className="mb-1 h-11" />)}
        {error !== null && <li className="p-3 text-sm text-soft">{error.message}</li>}
        {data !== undefined && found.length === 0 && <li className="p-3 text-sm text-soft">No metric is called like that.</li>}
        {found.slice(0, MOST).map((metric) => {
          const isChosen = chosen.includes(metric.name);
          return (
            <li key={metric.name}>
              <button
                type="button"
                aria-pressed={isChosen}
                onClick={() => onToggle(metric.name)}
                className="flex min-h-11 w-full items-center gap-3 rounded-lg px-3 py-1.5 text-left hover:bg-raised"
              >
                <Check aria-hidden="true" className={cx("size-4 shrink-0 text-accent", !isChosen && "invisible")} />
                <span className="min-w-0 flex-1">
                  <span className="block text-sm">{metric.title ?? metric.name}</span>
                  <span className="block text-xs text-soft">{metric.name}</span>
                </span>
                <span className="text-xs text-soft">{metric.unit}</span>
              </button>
            </li>
          );
        })}
        {found.length > MOST && <li className="p-3 text-xs text-soft">{found.length - MOST} more: type to narrow it down.</li>}
      </ul>
    </>
  );
}
