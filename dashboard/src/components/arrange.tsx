// Arranging the first page: cards are moved, resized, removed, added, put back; every step can be undone.
import { useQueries } from "@tanstack/react-query";
import { ArrowLeft, ArrowRight, LayoutGrid, Maximize2, Minimize2, RotateCcw, Undo2, X } from "lucide-react";
import { Suspense, useState } from "react";
import type { KeyboardEvent, ReactNode } from "react";
import { useArrangement } from "../api/layout";
import type { Arrangement } from "../api/layout";
import { cardQuery } from "../api/queries";
import type { ChartsResponse } from "../api/queries";
import { added, DEFAULT_LAYOUT, missing, moved, removed, resized } from "../lib/layout";
import type { Card, Layout } from "../lib/layout";
import { lazyPart } from "../lib/lazy-part";
import { MetricPickerLazy } from "./lazy-picker";
import { Button, cx, Skeleton } from "./parts";

const ChartCard = lazyPart(() => import("./chart-card"));

const TITLES: Readonly<Record<string, string>> = {
  battery: "Battery", power: "Power flow", tanks: "Tanks", climate: "Climate", vehicle: "Engine and generator", system: "Network", other: "Latest values",
}; // prettier-ignore
const SPANS: Readonly<Record<number, string>> = { 4: "md:col-span-6 xl:col-span-4", 6: "md:col-span-6", 8: "md:col-span-12 xl:col-span-8", 12: "md:col-span-12" };

const titlesOf = (answer: ChartsResponse) => answer.series.map((series) => series.title);

/** What each card is called: charts by what they show, as soon as that is known. */
export function useTitles(layout: Layout): (card: Card) => string {
  const charts = layout.filter((card) => card.metrics.length > 0);
  const answers = useQueries({ queries: charts.map((card) => ({ ...cardQuery(card.metrics), select: titlesOf })) });
  return (card) => TITLES[card.id] ?? (answers[charts.indexOf(card)]?.data ?? card.metrics).join(", ");
}

interface CardToolsProps {
  readonly card: Card;
  readonly title: string;
  readonly arrangement: Arrangement;
  readonly isInSight?: (card: Card) => boolean; // those that it is moved among; left out: all
}

/** What can be done to one card. */
export function CardTools({ card, title, arrangement: { layout, change }, isInSight }: CardToolsProps) {
  return ([
    ["earlier", ArrowLeft, () => change(moved(layout, card.id, -1, isInSight))],
    ["later", ArrowRight, () => change(moved(layout, card.id, 1, isInSight))],
    ["narrower", Minimize2, () => change(resized(layout, card.id, -1))],
    ["wider", Maximize2, () => change(resized(layout, card.id, 1))],
    ["away", X, () => change(removed(layout, card.id))],
  ] as const).map(([word, Icon, act]) => (
    <Button key={word} tone="quiet" className="px-2.5" aria-label={`${title}: ${word}`} title={word} onClick={act}>
      <Icon aria-hidden="true" className="size-4" />
    </Button>
  ));
}

/** What can be done to all of them: add, undo, begin anew. */
export function LayoutTools({ arrangement: { layout, change, undo } }: { arrangement: Arrangement }) {
  return (
    <>
      <MetricPickerLazy label="Add a chart" chosen={[]} closes onToggle={(name) => change(added(layout, { metrics: [name] }))} />
      {missing(layout).map((id) => (
        <Button key={id} onClick={() => change(added(layout, { id }))}>
          + {TITLES[id]}
        </Button>
      ))}
      <Button tone="quiet" disabled={undo === undefined} onClick={undo}>
        <Undo2 aria-hidden="true" className="size-4" /> Undo
      </Button>
      <Button tone="quiet" onClick={() => change(DEFAULT_LAYOUT)}>
        <RotateCcw aria-hidden="true" className="size-4" /> As it came
      </Button>
    </>
  );
}

export function ArrangedCards({ show }: { show: (id: string) => ReactNode }) {
  const arrangement = useArrangement();
  const { layout, change } = arrangement;
  const titleOf = useTitles(layout);
  const [isArranging, setArranging] = useState(false);
  const [dragged, setDragged] = useState<string | undefined>();
  const isChart = (card: Card) => card.id.startsWith("chart-");
  const isInSight = (card: Card) => isChart(card) || show(card.id) !== null;
  const key = (card: Card) => (event: KeyboardEvent) => {
    const by = event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : 0;
    if (by === 0) return;
    event.preventDefault();
    change(event.shiftKey ? resized(layout, card.id, by) : moved(layout, card.id, by, isInSight));
  };

  return (
    <>
      <div className="grid gap-4 md:grid-cols-12">
        {layout.map((card) => {
          const content = isChart(card) ? (
            <Suspense fallback={<Skeleton className="h-80 rounded-2xl" />}>
              <ChartCard metrics={card.metrics} />
            </Suspense>
          ) : (
            show(card.id)
          );
          if (content === null) return null;
          const title = titleOf(card);
          return (
            <div
              key={card.id}
              data-card={card.id}
              role="group"
              aria-label={title}
              draggable={isArranging}
              onDragStart={() => setDragged(card.id)}
              onDragOver={(event) => {
                if (dragged !== undefined) event.preventDefault();
              }}
              onDrop={() => {
                if (dragged !== undefined && dragged !== card.id) {
                  change(moved(layout, dragged, layout.findIndex((each) => each.id === card.id) - layout.findIndex((each) => each.id === dragged)));
                }
                setDragged(undefined);
              }}
              className={cx("flex min-w-0 flex-col", SPANS[card.size], isArranging && "rounded-2xl outline-2 outline-dashed outline-line")}
            >
              {isArranging && (
                <div role="toolbar" aria-label={title} className="flex flex-wrap items-center gap-1 p-2">
                  <Button tone="quiet" aria-label={`Move ${title}: arrow keys move it, with shift they resize it`} onKeyDown={key(card)} className="min-w-0 cursor-grab">
                    <LayoutGrid aria-hidden="true" className="size-4 shrink-0" /> <span className="min-w-0 truncate">{title}</span>
                  </Button>
                  <span className="flex-1" />
                  <CardTools card={card} title={title} arrangement={arrangement} isInSight={isInSight} />
                </div>
              )}
              <div className="min-h-0 flex-1">{content}</div>
            </div>
          );
        })}
      </div>
      <div className="mt-4 flex flex-wrap items-center gap-2">
        <Button tone={isArranging ? "accent" : "quiet"} aria-pressed={isArranging} disabled={!arrangement.isKnown} onClick={() => setArranging(!isArranging)}>
          <LayoutGrid aria-hidden="true" className="size-4" /> {isArranging ? "Done" : "Arrange cards"}
        </Button>
        {isArranging && <LayoutTools arrangement={arrangement} />}
      </div>
    </>
  );
}
