// What somebody has put off or dismissed while it still holds: out of the way, not out of reach.
import { Link } from "wouter";
import { ChevronDown, Clock } from "lucide-react";
import type { Insight } from "../api/queries";
import { insightLink } from "../lib/links";
import { useSaid } from "../lib/said";
import { Marks } from "./marks";

export function PutOff({ insights }: { insights: readonly Insight[] }) {
  const said = useSaid();
  if (insights.length === 0) return null;
  return (
    <details className="group card mb-6 px-4 sm:px-5">
      <summary className="flex min-h-11 cursor-pointer items-center gap-2 text-sm font-medium text-soft hover:text-ink">
        <Clock aria-hidden="true" className="size-4" /> Put off: {insights.length}
        <ChevronDown aria-hidden="true" className="size-4 group-open:rotate-180" />
      </summary>
      <ul className="divide-y pb-2">
        {insights.map((insight) => (
          <li key={insight.insight_id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2">
            <Link href={insightLink(insight.insight_id)} className="text-accent underline">
              {said(insight.title)}
            </Link>
            <Marks insight={insight} />
          </li>
        ))}
      </ul>
    </details>
  );
}
