// The reader's arrangement of the first page: kept by the service, changed at once, every step can be undone.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { QueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { COLUMNS, DEFAULT_LAYOUT, fromWidgets, LAYOUT_ID, toWidgets } from "../lib/layout";
import type { Layout } from "../lib/layout";
import { showToast } from "../lib/toast";
import { save, send } from "./changes";
import { request } from "./client";
import type { Schemas } from "./client";

const PATH = `/api/analytics/layouts/${LAYOUT_ID}`;
const KEY = ["layout"];
const STEPS = 20;

interface Kept {
  readonly layout: Layout;
  readonly etag: string | undefined;
}

export interface Arrangement {
  readonly layout: Layout;
  readonly isKnown: boolean; // what is kept has arrived: before that a change would be overtaken by it
  readonly change: (next: Layout) => void;
  readonly undo: (() => void) | undefined; // undefined: there is nothing to undo
}

async function load(): Promise<Kept> {
  const { layouts } = await request<Schemas["LayoutsResponse"]>("/api/analytics/layouts");
  const found = layouts.find((each) => each.id === LAYOUT_ID);
  return { layout: (found && fromWidgets(found.widgets)) ?? DEFAULT_LAYOUT, etag: found?.etag };
}

let isSaving = false;

/** Store what is shown. One request at a time: what is changed meanwhile goes along with the next, by the ETag of this one. */
async function store(client: QueryClient): Promise<void> {
  if (isSaving) return;
  isSaving = true;
  const change = async () => {
    for (let sent: Layout | undefined, kept = shown(client); kept.layout !== sent; kept = shown(client)) {
      sent = kept.layout;
      const { etag } = await send<Schemas["LayoutResponse"]>("PUT", PATH, { name: "Overview", columns: COLUMNS, widgets: toWidgets(sent) }, kept.etag);
      client.setQueryData<Kept>(KEY, { layout: shown(client).layout, etag });
    }
  };
  const outcome = await save(change, []).finally(() => (isSaving = false));
  if (outcome === "done") return;
  if (outcome === "stale") showToast({ text: "Somebody has arranged the cards elsewhere meanwhile: this is how they are now." });
  await client.invalidateQueries({ queryKey: KEY });
}

function shown(client: QueryClient): Kept {
  return client.getQueryData<Kept>(KEY) ?? { layout: DEFAULT_LAYOUT, etag: undefined };
}

export function useArrangement(): Arrangement {
  const client = useQueryClient();
  const { data } = useQuery({ queryKey: KEY, queryFn: load, staleTime: 60_000 });
  const [past, setPast] = useState<readonly Layout[]>([]);
  const { layout } = data ?? { layout: DEFAULT_LAYOUT };
  const last = past.at(-1);

  const arrange = (next: Layout) => {
    void client.cancelQueries({ queryKey: KEY }); // an answer of before the change
    client.setQueryData<Kept>(KEY, { ...shown(client), layout: next });
    void store(client);
  };
  return {
    layout,
    isKnown: data !== undefined,
    change: (next) => {
      if (next === layout) return;
      setPast([...past.slice(-STEPS), layout]);
      arrange(next);
    },
    undo:
      last === undefined
        ? undefined
        : () => {
            setPast(past.slice(0, -1));
            arrange(last);
          },
  };
}
