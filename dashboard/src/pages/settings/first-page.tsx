// Which cards the first page has, in what order, how wide.
import { useArrangement } from "../../api/layout";
import { Skeleton } from "../../components/parts";
import { CardTools, LayoutTools, useTitles } from "../../components/arrange";

const WIDTHS: Readonly<Record<number, string>> = { 4: "a third of the width", 6: "half of the width", 8: "two thirds of the width", 12: "the whole width" };

export default function FirstPageSettings() {
  const arrangement = useArrangement();
  const titleOf = useTitles(arrangement.layout);
  if (!arrangement.isKnown) return <Skeleton className="h-96 rounded-2xl" />;
  return (
    <section aria-label="First page" className="card px-5 py-2">
      <ol className="divide-y">
        {arrangement.layout.map((card) => (
          <li key={card.id} data-card={card.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
            <span className="min-w-40 flex-1">
              <span className="block font-medium">{titleOf(card)}</span>
              <span className="block text-sm text-soft">{WIDTHS[card.size]}</span>
            </span>
            <span role="toolbar" aria-label={titleOf(card)} className="flex flex-wrap gap-1">
              <CardTools card={card} title={titleOf(card)} arrangement={arrangement} />
            </span>
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap items-center gap-2 py-4">
        <LayoutTools arrangement={arrangement} />
      </div>
      <p className="pb-3 text-sm text-soft">A card without data does not show. On a narrow screen each takes the whole width.</p>
    </section>
  );
}
