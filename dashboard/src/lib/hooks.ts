// Small hooks that several pages share.
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { useSearch } from "wouter";
import { serverNow } from "./clock";

/** The service's time, renewed every `seconds`. */
export function useNow(seconds: number): number {
  const [now, setNow] = useState(() => serverNow());
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return now;
}

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** What was there last, while there is nothing. */
export function useLast<Value>(value: Value | undefined): Value | undefined {
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) setLast(value);
  return value ?? last;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · CoachIQ Analytics`;
  }, [title]);
}

/** Width and height of an element, as it changes. */
export function useSize(): [(element: HTMLElement | null) => void, { width: number; height: number }] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, size];
}

/** The query string of the address as it stands there: wouter's own has percent signs decoded once too often. */
export function useQueryString(): string {
  useSearch(); // draws again when it changes
  return location.search;
}
