// A button that has to be held: for what somebody may depend on. By pointer, by Enter or space; a press that can't be
// held (a screen reader's) is asked for twice.
import { useEffect, useRef, useState } from "react";
import type { ReactNode } from "react";
import { Button } from "./parts";

export const HOLD_MS = 1200;
const ASKS_FOR_MS = 6000;

export function HoldButton({ children, describedBy, onHeld }: {
  readonly children: ReactNode;
  readonly describedBy: string;
  readonly onHeld: () => void;
}) {
  const [isHeld, setHeld] = useState(false);
  const [note, setNote] = useState<"short" | "again" | undefined>();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const forget = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const byHand = useRef(false); // the click that follows is the end of a press that was seen

  const stop = () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    setHeld(false);
  };
  useEffect(() => () => {
    clearTimeout(timer.current);
    clearTimeout(forget.current);
  }, []);
  const say = (next: "short" | "again") => {
    setNote(next);
    clearTimeout(forget.current);
    forget.current = setTimeout(() => setNote(undefined), ASKS_FOR_MS);
  };
  const begin = () => {
    byHand.current = true;
    if (timer.current !== undefined) return;
    setHeld(true);
    setNote(undefined);
    timer.current = setTimeout(() => {
      stop();
      onHeld();
    }, HOLD_MS);
  };
  const end = () => {
    if (timer.current === undefined) return;
    stop();
    say("short");
  };
  return (
    <>
      <Button
        aria-describedby={describedBy}
        className="relative touch-none overflow-hidden border-warning select-none"
        onPointerDown={(event) => {
          if (event.button === 0) begin();
        }}
        onPointerUp={end}
        onPointerLeave={stop}
        onPointerCancel={stop}
        onContextMenu={(event) => event.preventDefault()}
        onBlur={stop}
        onKeyDown={(event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          if (!event.repeat) begin();
        }}
        onKeyUp={(event) => {
          if (event.key === "Enter" || event.key === " ") end();
        }}
        onClick={() => {
          if (byHand.current) byHand.current = false;
          else if (note === "again") onHeld();
          else say("again");
        }}
      >
        <span
          aria-hidden="true"
          className="absolute inset-y-0 left-0 bg-warning/35"
          style={isHeld ? { width: "100%", transition: `width ${HOLD_MS}ms linear` } : { width: 0 }}
        />
        <span className="relative inline-flex items-center gap-2">{children}</span>
      </Button>
      <span role="status" className="text-sm text-soft">
        {note === "short" && "Keep it pressed until the bar is full."}
        {note === "again" && "Press once more to confirm."}
      </span>
    </>
  );
}
