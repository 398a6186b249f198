// What a person can say to an insight.
import { Check, Clock, ThumbsDown, X } from "lucide-react";
import { mark } from "../api/changes";
import type { Insight } from "../api/queries";
import { moment } from "../lib/times";
import { Button } from "./parts";

const HOUR = 3600;

export function Marks({ insight, whole = false }: { insight: Insight; whole?: boolean }) {
  const { insight_id: id, status } = insight;
  const seen = status === "acknowledged";
  return (
    <div className="flex flex-wrap items-center gap-1.5" role="group" aria-label={`Answer: ${insight.title}`}>
      {status === "snoozed" || status === "dismissed" ? (
        <>
          <span className="text-sm text-soft">
            {status === "dismissed" ? "Dismissed" : `Put off until ${moment(insight.snoozed_until ?? 0)}`}
          </span>
          <Button onClick={() => void mark(id, "undo")}>Take back</Button>
        </>
      ) : (
        <>
          {seen ? (
            <Button tone="quiet" onClick={() => void mark(id, "undo")}>
              <Check aria-hidden="true" className="size-4 text-good" /> Seen
            </Button>
          ) : (
            <Button onClick={() => void mark(id, "acknowledge")}>
              <Check aria-hidden="true" className="size-4" /> I have seen it
            </Button>
          )}
          <Button tone="quiet" onClick={() => void mark(id, "snooze", { duration_s: HOUR })}>
            <Clock aria-hidden="true" className="size-4" /> In an hour
          </Button>
          <Button tone="quiet" onClick={() => void mark(id, "dismiss")}>
            <X aria-hidden="true" className="size-4" /> Dismiss
          </Button>
          {whole && (
            <Button tone="quiet" onClick={() => void mark(id, "not_useful")}>
              <ThumbsDown aria-hidden="true" className="size-4" /> Not useful
            </Button>
          )}
        </>
      )}
    </div>
  );
}
