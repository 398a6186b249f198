// The live end of charts: values that have arrived since the last answer, renewed no more often than a picture needs.
import { useEffect, useMemo, useRef, useState } from "react";
import { liveValues } from "../live/values";
import { serverNow } from "../lib/clock";
import type { Tail } from "./rows";

const MOST = 600; // values kept a metric; the service's next answer has them anyway
const NONE: ReadonlyMap<string, readonly Tail[]> = new Map();

export interface LiveEnd {
  readonly tails: ReadonlyMap<string, readonly Tail[]>;
  readonly now: number;
}

/** Values of `metrics` as they arrive, and the service's time, each `seconds`. Nothing while `on` is false. */
export function useLiveEnd(metrics: readonly string[], on: boolean, seconds: number): LiveEnd {
  const kept = useRef(new Map<string, Tail[]>());
  const [shownNow, setShown] = useState<LiveEnd>(() => ({ tails: NONE, now: serverNow() }));
  const names = useMemo(() => new Set(metrics), [metrics]);
  useEffect(() => {
    if (!on) return undefined;
    const unfollow = liveValues.follow((name, { value, timestamp }) => {
      if (!names.has(name)) return;
      const tail = kept.current.get(name) ?? [];
      if (timestamp <= (tail.at(-1)?.t ?? 0)) return;
      tail.push({ t: timestamp, v: value });
      if (tail.length > MOST) tail.splice(0, tail.length - MOST);
      kept.current.set(name, tail);
    });
    const timer = setInterval(() => {
      setShown({ tails: new Map([...kept.current].map(([name, tail]) => [name, [...tail]])), now: serverNow() });
    }, seconds * 1000);
    return () => {
      unfollow();
      clearInterval(timer);
    };
  }, [names, on, seconds]);
  return shownNow;
}
