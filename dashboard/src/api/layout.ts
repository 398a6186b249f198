// The reader's arrangement of the first page: kept by the service, changed at once, every step can be undone.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { COLUMNS, DEFAULT_LAYOUT, fromWidgets, LAYOUT_ID, toWidgets } from "../lib/layout";
import type { Layout } from "../lib/layout";
import { attempt, send } from "./changes";
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

export function useArrangement(): Arrangement {
  const client = useQueryClient();
  const { data } = useQuery({ queryKey: KEY, queryFn: load, staleTime: 60_000 });
  const [past, setPast] = useState<readonly Layout[]>([]);
  const { layout, etag } = data ?? { layout: DEFAULT_LAYOUT, etag: undefined };
  const last = past.at(-1);

  const save = (next: Layout) => {
    client.setQueryData<Kept>(KEY, { layout: next, etag });
    void attempt(async () => {
      const answer = await send<Schemas["LayoutResponse"]>("PUT", PATH, { name: "Overview", columns: COLUMNS, widgets: toWidgets(next) }, etag);
      client.setQueryData<Kept>(KEY, { layout: next, etag: answer.etag });
    }, []).then((done) => {
      if (!done) void client.invalidateQueries({ queryKey: KEY });
    });
  };
  return {
    layout,
    isKnown: data !== undefined,
    change: (next) => {
      if (next === layout) return;
      setPast([...past.slice(-STEPS), layout]);
      save(next);
    },
    undo:
      last === undefined
        ? undefined
        : () => {
            setPast(past.slice(0, -1));
            save(last);
          },
  };
}
