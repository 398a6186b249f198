// What was done to the coach from here: the journal of actions, step by step, and whether it is whole.
import { useQuery } from "@tanstack/react-query";
import { Hand, ShieldAlert, ShieldCheck } from "lucide-react";
import { Link } from "wouter";
import { auditQuery, deedsQuery } from "../../api/deeds";
import { Empty, Failed, Skeleton } from "../../components/parts";
import { useNow } from "../../lib/hooks";
import { deedName, deedText } from "../../lib/deeds";
import type { Deed } from "../../lib/deeds";
import { insightLink } from "../../lib/links";
import { moment, preciseClock } from "../../lib/times";
import { counted, person } from "../../lib/words";

export default function Actions() {
  const { data, error, refetch } = useQuery(deedsQuery);
  const audit = useQuery(auditQuery);
  const now = useNow(1);
  if (data === undefined) {
    return error === null ? <Skeleton className="h-64 rounded-2xl" /> : <Failed error={error} again={() => void refetch()} />;
  }
  const steps = new Map<string, { state: string; at: number }[]>();
  for (const { action_id: id, state, at } of [...(audit.data?.journal ?? [])].reverse()) {
    steps.set(id, [...(steps.get(id) ?? []), { state, at }]);
  }
  return (
    <div className="space-y-4">
      {data.actions.length === 0 ? (
        <Empty title="Nothing has been done from here yet" icon={<Hand aria-hidden="true" className="size-10" />}>
          <p>Where something can be done about an insight, its card has a button. Every press is written down here before anything is sent.</p>
        </Empty>
      ) : (
        <ul aria-label="Actions" className="card divide-y px-5 py-2">
          {data.actions.map((deed) => (
            <Item key={deed.action_id} deed={deed} steps={steps.get(deed.action_id) ?? []} now={now} />
          ))}
        </ul>
      )}
      {audit.data !== undefined && <Whole {...audit.data} />}
    </div>
  );
}

function Item({ deed, steps, now }: { deed: Deed; steps: readonly { state: string; at: number }[]; now: number }) {
  return (
    <li className="py-3">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-medium">{deedName(deed.template, deed.entity_name)}</h3>
        <span className="text-sm text-soft">
          {moment(deed.created_at)}, by {person(deed.by)}
        </span>
      </div>
      <p className="text-sm">{deedText(deed, now)}</p>
      <p className="mt-1 text-xs text-soft">
        {steps.map(({ state, at }) => `${state.replaceAll("_", " ")} ${preciseClock(at)}`).join(" → ")}
        {steps.length > 0 && ". "}
        <Link href={insightLink(deed.insight_id)} className="text-accent underline">The insight that advised it</Link>
      </p>
    </li>
  );
}

function Whole({ verified, entries, broken_at: at, reason, persisted, last_hash: hash }: {
  readonly verified: boolean;
  readonly entries: number;
  readonly broken_at: number | null;
  readonly reason: string | null;
  readonly persisted: boolean;
  readonly last_hash: string;
}) {
  const Icon = verified ? ShieldCheck : ShieldAlert;
  return (
    <p className="flex items-start gap-2 text-sm text-soft">
      <Icon aria-hidden="true" className={`mt-0.5 size-4 shrink-0 ${verified ? "text-good" : "text-critical"}`} />
      <span>
        {entries === 0
          ? "The journal is empty."
          : verified
            ? `The journal's ${counted(entries, "entry", "entries")} ${entries === 1 ? "is" : "are"} whole: each holds the fingerprint of the one before. The last one's begins with ${hash.slice(0, 12)}.`
            : `The journal was changed from outside at entry ${at ?? "?"}: ${reason ?? "no reason given"}.`}
        {!persisted && " Nothing is kept on disk: it ends with the service."}
      </span>
    </p>
  );
}
