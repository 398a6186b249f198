// One crosshair for all charts of a page, outside React: moving the mouse redraws no chart.
import { useSyncExternalStore } from "react";

let time: number | undefined;
const listeners = new Set<() => void>();

export function setCrosshair(next: number | undefined): void {
  if (next === time) return;
  time = next;
  for (const listener of listeners) listener();
}

export function getCrosshair(): number | undefined {
  return time;
}

export function subscribeCrosshair(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useCrosshair(): number | undefined {
  return useSyncExternalStore(subscribeCrosshair, getCrosshair);
}
