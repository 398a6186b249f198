// What the hand does on a chart: crosshair, drag to zoom, pinch, wheel and keys. Drawn straight into the document.
import { useEffect, useRef } from "react";
import type { KeyboardEvent, PointerEvent, RefObject } from "react";
import { serverNow } from "../lib/clock";
import { getCrosshair, setCrosshair, subscribeCrosshair } from "./crosshair";
import { bounded, nearest, panned, pinched, zoomed } from "./window";
import type { Span } from "./window";

const CLICK_PX = 6; // a shorter drag is a click

interface OverlayProps {
  readonly label: string;
  readonly times: readonly number[];
  readonly stepSeconds: number;
  readonly span: Span;
  readonly target: RefObject<Span | undefined> | undefined;
  readonly left: number;
  readonly right: number;
  readonly height: number;
  readonly onZoom: ((span: Span | undefined) => void) | undefined;
}

interface Finger {
  readonly time: number;
  x: number;
}

export function ChartOverlay(props: OverlayProps) {
  const { label, times, stepSeconds, span, target, left, right, height, onZoom } = props;
  const area = useRef<HTMLDivElement>(null);
  const line = useRef<HTMLDivElement>(null);
  const selection = useRef<HTMLDivElement>(null);
  const dragFrom = useRef<number | undefined>(undefined);
  const fingers = useRef(new Map<number, Finger>());
  const pending = useRef<Span | undefined>(undefined);
  const { start, end } = span;

  useEffect(() => {
    const draw = () => {
      const time = getCrosshair();
      if (line.current === null) return;
      const share = time === undefined ? -1 : (time - start) / (end - start);
      line.current.hidden = share < 0 || share > 1;
      line.current.style.left = `${share * 100}%`;
    };
    draw();
    return subscribeCrosshair(draw);
  }, [start, end]);

  const shareAt = (clientX: number): number => {
    const box = area.current?.getBoundingClientRect();
    return box === undefined || box.width === 0 ? 0 : Math.min(1, Math.max(0, (clientX - box.left) / box.width));
  };
  const timeAt = (clientX: number): number => start + shareAt(clientX) * (end - start);
  const zoom = (next: Span | undefined) => {
    performance.mark("zoom-start");
    onZoom?.(next);
  };
  const showSelection = (from: number, to: number) => {
    const box = selection.current;
    if (box === null) return;
    box.hidden = false;
    box.style.left = `${Math.min(from, to) * 100}%`;
    box.style.width = `${Math.abs(to - from) * 100}%`;
  };

  const down = (event: PointerEvent) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") {
      fingers.current.set(event.pointerId, { time: timeAt(event.clientX), x: event.clientX });
      setCrosshair(timeAt(event.clientX));
    } else dragFrom.current = event.clientX;
  };
  const move = (event: PointerEvent) => {
    setCrosshair(timeAt(event.clientX));
    const finger = fingers.current.get(event.pointerId);
    if (finger !== undefined) {
      finger.x = event.clientX;
      const [one, other] = [...fingers.current.values()];
      if (one !== undefined && other !== undefined) {
        const next = pinched(shareAt(one.x), shareAt(other.x), one.time, other.time, serverNow());
        if (next !== undefined) {
          pending.current = next;
          showSelection(Math.max(0, (next.start - start) / (end - start)), Math.min(1, (next.end - start) / (end - start)));
        }
      }
    } else if (dragFrom.current !== undefined && Math.abs(event.clientX - dragFrom.current) > CLICK_PX) {
      showSelection(shareAt(dragFrom.current), shareAt(event.clientX));
    }
  };
  const up = (event: PointerEvent) => {
    if (selection.current !== null) selection.current.hidden = true;
    if (fingers.current.delete(event.pointerId)) {
      if (fingers.current.size < 2 && pending.current !== undefined) {
        zoom(pending.current);
        pending.current = undefined;
        fingers.current.clear();
      }
      return;
    }
    const from = dragFrom.current;
    dragFrom.current = undefined;
    if (from === undefined || Math.abs(event.clientX - from) <= CLICK_PX) return;
    const [a, b] = [timeAt(from), timeAt(event.clientX)];
    zoom(bounded({ start: Math.min(a, b), end: Math.max(a, b) }, serverNow()));
  };
  const cancel = () => {
    fingers.current.clear();
    pending.current = dragFrom.current = undefined;
    if (selection.current !== null) selection.current.hidden = true;
  };

  useEffect(() => {
    const element = area.current;
    if (element === null || onZoom === undefined) return undefined;
    // Not React's: it listens passively, and the page must not zoom along with a trackpad's pinch.
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const at = start + ((event.clientX - box.left) / box.width) * (end - start);
      performance.mark("zoom-start");
      onZoom(zoomed(target?.current ?? { start, end }, Math.exp(event.deltaY / 200), at, serverNow()));
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [start, end, target, onZoom]);

  const key = (event: KeyboardEvent) => {
    const now = serverNow();
    const at = getCrosshair();
    const base = target?.current ?? span;
    const centre = at !== undefined && at >= base.start && at <= base.end ? at : (base.start + base.end) / 2;
    const step = (by: number) => {
      const index = nearest(times, (at ?? end) - stepSeconds / 2);
      const next = times[Math.min(times.length - 1, Math.max(0, index + (at === undefined ? 0 : by)))];
      if (next !== undefined) setCrosshair(next + stepSeconds / 2);
    };
    switch (event.key) {
      case "ArrowLeft":
      case "ArrowRight": {
        const sign = event.key === "ArrowLeft" ? -1 : 1;
        if (event.shiftKey) zoom(panned(base, sign * 0.5, now));
        else step(sign);
        break;
      }
      case "+":
      case "=":
        zoom(zoomed(base, 0.5, centre, now));
        break;
      case "-":
        zoom(zoomed(base, 2, centre, now));
        break;
      case "0":
        zoom(undefined);
        break;
      case "Escape":
        setCrosshair(undefined);
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  return (
    // A chart is a widget of its own: arrows, plus and minus mean something to it, and its label says what.
    <div
      ref={area}
      role="application"
      tabIndex={0}
      aria-label={`Chart of ${label}. Arrow keys move along the values, plus and minus zoom, shift with arrows moves the range, zero shows it as before.`}
      className="absolute top-0 cursor-crosshair touch-pan-y"
      style={{ left, right, height: height - 24 }}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={cancel}
      onPointerLeave={(event) => {
        if (event.pointerType === "mouse" && dragFrom.current === undefined) setCrosshair(undefined);
      }}
      onDoubleClick={() => zoom(zoomed(span, 2, (start + end) / 2, serverNow()))}
      onKeyDown={key}
    >
      <div ref={line} hidden className="pointer-events-none absolute inset-y-0 w-px bg-ink opacity-60" />
      <div ref={selection} hidden className="pointer-events-none absolute inset-y-0 border-x border-accent bg-accent/20" />
    </div>
  );
}
