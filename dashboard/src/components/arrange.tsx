// Arranging the first page: cards are moved, resized, removed, added, put back; every step can be undone.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, ArrowRight, LayoutGrid, Maximize2, Minimize2, RotateCcw, Undo2, X } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import type { KeyboardEvent, ReactNode } from "react";
import { attempt, send } from "../api/changes";
import { request } from "../api/client";
import type { Schemas } from "../api/client";
import { added, COLUMNS, DEFAULT_LAYOUT, fromWidgets, LAYOUT_ID, missing, moved, removed, resized, toWidgets } from "../lib/layout";
import type { Card, Layout } from "../lib/layout";
import { MetricPickerLazy } from "./lazy-picker";
import { Button, cx, Skeleton } from "./parts";

const PATH = `/api/analytics/layouts/${LAYOUT_ID}`;
const ChartCard = lazy(() => import("./chart-card"));

interface Kept {
  readonly layout: Layout;
  readonly etag: string | undefined;
}

async function load(): Promise<Kept> {
  const { layouts } = await request<Schemas["LayoutsResponse"]>("/api/analytics/layouts");
  const found = layouts.find((each) => each.id === LAYOUT_ID);
  return { layout: (found && fromWidgets(found.widgets)) ?? DEFAULT_LAYOUT, etag: found?.etag };
}

const TITLES: Readonly<Record<string, string>> = {
  battery: "Battery", power: "Power flow", tanks: "Tanks", climate: "Climate", vehicle: "Engine and generator", system: "Network", other: "Latest values",
}; // prettier-ignore
const SPANS: Readonly<Record<number, string>> = { 4: "md:col-span-6 xl:col-span-4", 6: "md:col-span-6", 8: "md:col-span-12 xl:col-span-8", 12: "md:col-span-12" };

export function ArrangedCards({ show }: { show: (id: string) => ReactNode }) {
  const client = useQueryClient();
  const { data } = useQuery({ queryKey: ["layout"], queryFn: load, staleTime: 60_000 });
  const [isArranging, setArranging] = useState(false);
  const [past, setPast] = useState<readonly Layout[]>([]);
  const [dragged, setDragged] = useState<string | undefined>();
  const kept = data ?? { layout: DEFAULT_LAYOUT, etag: undefined };
  const { layout } = kept;

  const save = (next: Layout) => {
    if (next === layout) return;
    client.setQueryData<Kept>(["layout"], { layout: next, etag: kept.etag });
    void attempt(async () => {
      const body = { name: "Overview", columns: COLUMNS, widgets: toWidgets(next) };
      const answer = await send<Schemas["LayoutResponse"]>("PUT", PATH, body, kept.etag);
      client.setQueryData<Kept>(["layout"], { layout: next, etag: answer.etag });
    }, []).then((done) => {
      if (!done) void client.invalidateQueries({ queryKey: ["layout"] });
    });
  };
  const change = (next: Layout) => {
    if (next === layout) return;
    setPast((before) => [...before.slice(-20), layout]);
    save(next);
  };
  const undo = () => {
    const last = past.at(-1);
    if (last === undefined) return;
    setPast((before) => before.slice(0, -1));
    save(last);
  };
  const key = (card: Card) => (event: KeyboardEvent) => {
    const by = event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : 0;
    if (by === 0) return;
    event.preventDefault();
    change(event.shiftKey ? resized(layout, card.id, by) : moved(layout, card.id, by));
  };

  return (
    <>
      <div className="grid gap-4 md:grid-cols-12">
        {layout.map((card) => {
          const isChart = card.id.startsWith("chart-");
          const content = isChart ? (
            <Suspense fallback={<Skeleton className="h-80 rounded-2xl" />}>
              <ChartCard metrics={card.metrics} />
            </Suspense>
          ) : (
            show(card.id)
          );
          if (content === null) return null;
          const title = TITLES[card.id] ?? card.metrics.join(", ");
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
                  <Button tone="quiet" aria-label={`Move ${title}: arrow keys move it, with shift they resize it`} onKeyDown={key(card)} className="cursor-grab">
                    <LayoutGrid aria-hidden="true" className="size-4" /> {title}
                  </Button>
                  <span className="flex-1" />
                  {([
                    ["earlier", ArrowLeft, () => change(moved(layout, card.id, -1))],
                    ["later", ArrowRight, () => change(moved(layout, card.id, 1))],
                    ["narrower", Minimize2, () => change(resized(layout, card.id, -1))],
                    ["wider", Maximize2, () => change(resized(layout, card.id, 1))],
                    ["away", X, () => change(removed(layout, card.id))],
                  ] as const).map(([word, Icon, act]) => (
                    <Button key={word} tone="quiet" className="px-2.5" aria-label={`${title}: ${word}`} title={word} onClick={act}>
                      <Icon aria-hidden="true" className="size-4" />
                    </Button>
                  ))}
                </div>
              )}
              <div className="min-h-0 flex-1">{content}</div>
            </div>
          );
        })}
      </div>
      <div className="mt-4 flex flex-wrap items-center gap-2">
        <Button tone={isArranging ? "accent" : "quiet"} aria-pressed={isArranging} onClick={() => setArranging(!isArranging)}>
          <LayoutGrid aria-hidden="true" className="size-4" /> {isArranging ? "Done" : "Arrange cards"}
        </Button>
        {isArranging && (
          <>
            <MetricPickerLazy label="Add a chart" chosen={[]} closes onToggle={(name) => change(added(layout, { metrics: [name] }))} />
            {missing(layout).map((id) => (
              <Button key={id} onClick={() => change(added(layout, { id }))}>
                + {TITLES[id]}
              </Button>
            ))}
            <Button tone="quiet" disabled={past.length === 0} onClick={undo}>
              <Undo2 aria-hidden="true" className="size-4" /> Undo
            </Button>
            <Button tone="quiet" onClick={() => change(DEFAULT_LAYOUT)}>
              <RotateCcw aria-hidden="true" className="size-4" /> As it came
            </Button>
          </>
        )}
      </div>
    </>
  );
}
