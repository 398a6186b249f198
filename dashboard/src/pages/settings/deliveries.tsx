// What became of the messages: sent, waiting for another try, gone along with another, or given up.
import { useQuery } from "@tanstack/react-query";
import { get } from "../../api/client";
import type { Schemas } from "../../api/client";
import { Failed, Skeleton } from "../../components/parts";
import { useNow } from "../../lib/hooks";
import { ago, moment, span } from "../../lib/times";
import { counted } from "../../lib/words";

type Delivery = Schemas["Delivery"];
const COLOURS: Readonly<Record<string, string>> = { sent: "text-good", waiting: "text-warning", failed: "text-critical", merged: "text-soft" };
const SHOWN = 20;

function outcome(each: Delivery, now: number): string {
  if (each.state === "sent") return `sent ${ago(now - (each.done_at ?? each.created_at))}`;
  if (each.state === "merged") return "went along with another message";
  if (each.state === "failed") return `given up after ${counted(each.attempts, "try", "tries")}`;
  const next = each.next_try_at === null || each.next_try_at <= now ? "now" : `in ${span(each.next_try_at - now)}`;
  return each.attempts === 0 ? `to be sent ${next}` : `tried ${counted(each.attempts, "time")}, again ${next}`;
}

export function Deliveries() {
  const { data, error, refetch } = useQuery({
    queryKey: ["deliveries"],
    queryFn: ({ signal }) => get("/api/analytics/notifications/deliveries", {}, signal),
    refetchInterval: 15_000,
  });
  const now = useNow(5);
  return (
    <section aria-label="Delivery record" className="card p-5">
      <h2 className="mb-2 font-semibold">What became of messages</h2>
      {data === undefined ? (
        error === null ? <Skeleton className="h-16" /> : <Failed error={error} again={() => void refetch()} />
      ) : data.deliveries.length === 0 ? (
        <p className="text-sm text-soft">No message has been made for you yet. A test message is answered at once and not written down here.</p>
      ) : (
        <ul className="divide-y text-sm">
          {data.deliveries.slice(0, SHOWN).map((each) => (
            <li key={`${each.message_id} ${each.channel_id}`} className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 py-2">
              <span className="min-w-0 flex-1 basis-64">
                {each.title}
                {each.error !== null && <span className="block text-xs text-soft">{each.error}</span>}
              </span>
              <span className="text-soft">{each.channel_id}, {moment(each.created_at)}</span>
              <span className={COLOURS[each.state] ?? ""}>{outcome(each, now)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
