// One sentence about what has just been done, with a way back.
import { useSyncExternalStore } from "react";

export interface Toast {
  readonly text: string;
  readonly undo?: (() => void) | undefined;
}

const LASTS_MS = 8000;
let current: Toast | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

export function showToast(toast: Toast | undefined): void {
  clearTimeout(timer);
  current = toast;
  if (toast !== undefined) timer = setTimeout(() => showToast(undefined), LASTS_MS);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useToast(): Toast | undefined {
  return useSyncExternalStore(subscribe, () => current);
}
