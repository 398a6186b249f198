// The whole history as a strip, with the window that the charts show. Its ends are sliders.
import { useRef, useState } from "react";
import type { KeyboardEvent, PointerEvent } from "react";
import type { ChartSeries } from "../api/queries";
import { Spark } from "../components/spark";
import { serverNow } from "../lib/clock";
import { moment } from "../lib/times";
import { bounded } from "./window";
import type { Span } from "./window";

interface BrushProps {
  readonly series: ChartSeries;
  readonly whole: Span;
  readonly span: Span;
  readonly onChange: (span: Span) => void;
}

type Grip = "start" | "end" | "window";

export function Brush({ series, whole, span, onChange }: BrushProps) {
  const strip = useRef<HTMLDivElement>(null);
  const grabbed = useRef<{ grip: Grip; x: number; from: Span } | undefined>(undefined);
  const [moving, setMoving] = useState<Span | undefined>();
  const length = whole.end - whole.start;
  const at = moving ?? span;
  const share = (time: number) => Math.min(1, Math.max(0, (time - whole.start) / length));
  const left = share(at.start);
  const right = Math.max(share(at.end), left + 0.004);

  const moved = (grip: Grip, from: Span, by: number): Span => {
    const next =
      grip === "window" ? { start: from.start + by, end: from.end + by }
      : grip === "start" ? { start: Math.min(from.start + by, from.end - 60), end: from.end }
      : { start: from.start, end: Math.max(from.end + by, from.start + 60) }; // prettier-ignore
    return bounded(next, serverNow());
  };
  const grab = (grip: Grip, event: PointerEvent) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    grabbed.current = { grip, x: event.clientX, from: span };
  };
  const drag = (event: PointerEvent) => {
    const held = grabbed.current;
    const width = strip.current?.clientWidth ?? 0;
    if (held === undefined || width === 0) return;
    setMoving(moved(held.grip, held.from, ((event.clientX - held.x) / width) * length));
  };
  const release = () => {
    if (grabbed.current !== undefined && moving !== undefined) {
      performance.mark("zoom-start");
      onChange(moving);
    }
    grabbed.current = undefined;
    setMoving(undefined);
  };
  const key = (grip: Grip) => (event: KeyboardEvent) => {
    const sign = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (sign === 0) return;
    event.preventDefault();
    onChange(moved(grip, span, (sign * length) / (event.shiftKey ? 20 : 100)));
  };

  return (
    <div ref={strip} className="relative h-14 touch-pan-y" data-testid="brush">
      <Spark times={series.times} values={series.values} gaps={series.gaps} start={whole.start} end={whole.end} className="h-full w-full text-soft" />
      <div
        aria-hidden="true"
        className="absolute inset-y-0 cursor-grab rounded-md border border-accent bg-accent/15"
        style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }}
        onPointerDown={(event) => grab("window", event)}
        onPointerMove={drag}
        onPointerUp={release}
      />
      {(["start", "end"] as const).map((grip) => (
        <div
          key={grip}
          role="slider"
          tabIndex={0}
          aria-label={grip === "start" ? "Start of the range" : "End of the range"}
          aria-valuemin={Math.round(whole.start)}
          aria-valuemax={Math.round(whole.end)}
          aria-valuenow={Math.round(at[grip])}
          aria-valuetext={moment(at[grip])}
          className="absolute inset-y-0 w-6 -translate-x-1/2 cursor-ew-resize after:absolute after:inset-y-3 after:left-1/2 after:w-1.5 after:-translate-x-1/2 after:rounded-full after:bg-accent"
          style={{ left: `${(grip === "start" ? left : right) * 100}%` }}
          onPointerDown={(event) => grab(grip, event)}
          onPointerMove={drag}
          onPointerUp={release}
          onKeyDown={key(grip)}
        />
      ))}
    </div>
  );
}
