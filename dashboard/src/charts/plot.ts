// Where a chart's own drawings lie and what they show: the same area, span and values for all layers of one chart.
import type { Span } from "./window";

export interface Plot {
  readonly span: Span;
  readonly domain: readonly [number, number];
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** From a time and a value to pixels within the plot. */
export function scales({ span, domain, width, height }: Plot) {
  return {
    x: (time: number) => ((time - span.start) / (span.end - span.start)) * width,
    y: (value: number) => (1 - (value - domain[0]) / (domain[1] - domain[0])) * height,
  };
}
