// How much something matters, told by word, shape and colour.
import { CircleAlert, Info, OctagonAlert, TriangleAlert } from "lucide-react";
import type { Schemas } from "../api/client";

export type Severity = Schemas["Insight"]["severity"];

const LOOKS = {
  critical: { word: "Critical", Icon: OctagonAlert, colour: "text-critical", edge: "border-l-critical" },
  high: { word: "Important", Icon: TriangleAlert, colour: "text-critical", edge: "border-l-critical" },
  medium: { word: "Worth a look", Icon: CircleAlert, colour: "text-warning", edge: "border-l-warning" },
  low: { word: "Good to know", Icon: Info, colour: "text-notice", edge: "border-l-notice" },
} as const;

export function severityLook(severity: Severity) {
  return LOOKS[severity];
}

export function SeverityMark({ severity }: { severity: Severity }) {
  const { word, Icon, colour } = LOOKS[severity];
  return (
    <span className={`inline-flex items-center gap-1.5 text-sm font-semibold ${colour}`}>
      <Icon aria-hidden="true" className="size-4.5 shrink-0" />
      {word}
    </span>
  );
}
