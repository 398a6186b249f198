// The latest value of every metric, outside React: a frame costs what its watchers cost, however many metrics it has.
import { useCallback, useSyncExternalStore } from "react";

export interface Latest {
  readonly value: number;
  readonly timestamp: number; // unix seconds
}

type Incoming = Readonly<Record<string, { readonly value: number | null; readonly timestamp: number }>>;

const FRAMES_KEPT = 600;

export class LiveValues {
  private readonly values = new Map<string, Latest>();
  private readonly watchers = new Map<string, Set<() => void>>();
  private readonly followers = new Set<(name: string, latest: Latest) => void>();
  private touched = new Set<string>();
  private scheduled = false;
  private arrivedAt = 0;
  /** Milliseconds from a frame's arrival to the picture that shows it; the newest last. */
  readonly delays: number[] = [];
  newest = 0;

  constructor(private readonly nextPicture: (run: () => void) => void = (run) => requestAnimationFrame(run)) {}

  /** Begin anew with all that the service knows: what it has forgotten is not known here either. */
  begin(snapshot: Incoming): void {
    for (const name of this.values.keys()) {
      if (Object.hasOwn(snapshot, name)) continue;
      this.values.delete(name);
      if (this.watchers.has(name)) this.touched.add(name);
    }
    this.newest = 0;
    this.apply(snapshot);
  }

  apply(frame: Incoming): void {
    for (const [name, { value, timestamp }] of Object.entries(frame)) {
      if (value === null) continue;
      const latest = { value, timestamp };
      this.values.set(name, latest);
      if (timestamp > this.newest) this.newest = timestamp;
      if (this.watchers.has(name)) this.touched.add(name);
      for (const follow of this.followers) follow(name, latest);
    }
    if (this.touched.size > 0 && !this.scheduled) {
      this.scheduled = true;
      this.arrivedAt = performance.now();
      this.nextPicture(() => this.tell());
    }
  }

  private tell(): void {
    this.scheduled = false;
    const touched = this.touched;
    this.touched = new Set();
    for (const name of touched) for (const watcher of this.watchers.get(name) ?? []) watcher();
    const arrivedAt = this.arrivedAt;
    // Runs after the picture that React draws for the watchers just told.
    this.nextPicture(() => {
      this.delays.push(performance.now() - arrivedAt);
      if (this.delays.length > FRAMES_KEPT) this.delays.shift();
    });
  }

  get(name: string): Latest | undefined {
    return this.values.get(name);
  }

  watch(name: string, watcher: () => void): () => void {
    const watchers = this.watchers.get(name) ?? new Set();
    this.watchers.set(name, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.watchers.delete(name);
    };
  }

  /** Every value as it arrives, for charts that draw their own tail. */
  follow(follower: (name: string, latest: Latest) => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }
}

export const liveValues = new LiveValues();

// For measuring from outside (tests/bench/bench_dashboard.py): the same array, not a copy.
Object.assign(globalThis, { coachiqDelays: liveValues.delays });

/** The latest value of `name`; draws again when it changes. */
export function useLive(name: string): Latest | undefined {
  const watch = useCallback((watcher: () => void) => liveValues.watch(name, watcher), [name]);
  return useSyncExternalStore(watch, () => liveValues.get(name));
}
