// What else might be looked at: what moves with a metric, and, where none is chosen, what insights are about.
import { useQuery } from "@tanstack/react-query";
import { ChartLine } from "lucide-react";
import { useMemo } from "react";
import { correlationsQuery, insightsQuery } from "../../api/queries";
import { Button, Empty } from "../../components/parts";
import { useSaid } from "../../lib/said";

export function Partners({ metric, shown, onAdd }: { metric: string; shown: readonly string[]; onAdd: (names: readonly string[]) => void }) {
  const { data } = useQuery(correlationsQuery(168));
  const partners = useMemo(() => {
    if (data === undefined) return [];
    return data.cells
      .flatMap((cell) => {
        const [a, b] = [data.metrics[cell.a], data.metrics[cell.b]];
        const other = a?.metric === metric ? b : b?.metric === metric ? a : undefined;
        return other === undefined || shown.includes(other.metric) ? [] : [{ ...other, coefficient: cell.coefficient }];
      })
      .sort((a, b) => Math.abs(b.coefficient) - Math.abs(a.coefficient))
      .slice(0, 5);
  }, [data, metric, shown]);
  if (partners.length === 0) return null;
  return (
    <div className="flex flex-wrap items-center gap-2 text-sm">
      <span className="text-soft">Moves with</span>
      {partners.map((each) => (
        <Button key={each.metric} className="min-h-9 px-3" onClick={() => onAdd([each.metric])} aria-label={`Add ${each.title}`}>
          + {each.title}
        </Button>
      ))}
      {partners.length > 1 && (
        <Button tone="quiet" className="min-h-9 px-3" onClick={() => onAdd(partners.slice(0, 3).map((each) => each.metric))}>
          Add the closest
        </Button>
      )}
    </div>
  );
}

export function Suggestions({ onAdd }: { onAdd: (names: readonly string[]) => void }) {
  const said = useSaid();
  const insights = useQuery(insightsQuery);
  const noted = (insights.data?.insights ?? []).flatMap((insight) => (insight.metric === null ? [] : [[insight.metric, insight.title] as const]));
  return (
    <Empty title="What do you want to look at?" icon={<ChartLine aria-hidden="true" className="size-10" />}>
      <p>Choose metrics above: each gets a chart of its own, all on one time axis.</p>
      {noted.length > 0 && (
        <ul className="mt-4 flex flex-wrap justify-center gap-2">
          {noted.map(([metric, title]) => (
            <li key={title}>
              <Button onClick={() => onAdd([metric])}>{said(title)}</Button>
            </li>
          ))}
        </ul>
      )}
    </Empty>
  );
}
