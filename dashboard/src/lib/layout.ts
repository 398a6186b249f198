// The first page as its reader has arranged it: cards in order, each with a width. Pure; the API keeps it.
import type { Schemas } from "../api/client";

export const SIZES = [4, 6, 8, 12] as const; // of twelve columns
export type Size = (typeof SIZES)[number];

export interface Card {
  readonly id: string; // battery, power, tanks, ...; chart-<n> for one that was added
  readonly size: Size;
  readonly metrics: readonly string[];
}

export type Layout = readonly Card[];
export const COLUMNS = 12;
export const LAYOUT_ID = "overview";
const STANDARD = ["battery", "power", "tanks", "climate", "vehicle", "system", "other"];

export const DEFAULT_LAYOUT: Layout = STANDARD.map((id) => ({ id, size: 4, metrics: [] }));

/** `by` places among the cards in sight: one that does not show is passed with the one before it. */
export function moved(layout: Layout, id: string, by: number, isInSight: (card: Card) => boolean = () => true): Layout {
  const card = layout.find((each) => each.id === id);
  if (card === undefined) return layout;
  const places = layout.filter((each) => each === card || isInSight(each));
  const target = places[Math.min(places.length - 1, Math.max(0, places.indexOf(card) + by))];
  if (target === undefined || target === card) return layout;
  const to = layout.indexOf(target);
  const rest = layout.filter((each) => each !== card);
  return [...rest.slice(0, to), card, ...rest.slice(to)];
}

export function resized(layout: Layout, id: string, by: number): Layout {
  const card = layout.find((each) => each.id === id);
  if (card === undefined) return layout;
  const size = SIZES[Math.min(SIZES.length - 1, Math.max(0, SIZES.indexOf(card.size) + by))] ?? card.size;
  return size === card.size ? layout : layout.map((each) => (each === card ? { ...card, size } : each));
}

export function removed(layout: Layout, id: string): Layout {
  return layout.filter((card) => card.id !== id);
}

/** A card of charts for `metrics`; a standard card that was removed comes back by its name. */
export function added(layout: Layout, card: { id?: string; metrics?: readonly string[] }): Layout {
  if (card.id !== undefined) return layout.some((each) => each.id === card.id) ? layout : [...layout, { id: card.id, size: 4, metrics: [] }];
  const taken = new Set(layout.map((each) => each.id));
  let number = 1;
  while (taken.has(`chart-${number}`)) number += 1;
  return [...layout, { id: `chart-${number}`, size: 6, metrics: card.metrics ?? [] }];
}

/** Standard cards that are not there. */
export function missing(layout: Layout): string[] {
  const there = new Set(layout.map((card) => card.id));
  return STANDARD.filter((id) => !there.has(id));
}

/** As the API keeps it: places in a grid of twelve columns, row by row. */
export function toWidgets(layout: Layout): Schemas["Widget"][] {
  let [x, y] = [0, 0];
  return layout.map(({ id, size, metrics }) => {
    if (x + size > COLUMNS) [x, y] = [0, y + 1];
    const widget = { id, type: id.startsWith("chart-") ? "chart" : "group", title: null, x, y, w: size, h: 1, metrics: [...metrics], options: {} };
    x += size;
    return widget;
  });
}

/** Out of what the API kept, whoever wrote it; undefined: nothing that this page can show. */
export function fromWidgets(widgets: readonly { id: string; type: string; x: number; y: number; w: number; metrics?: readonly string[] }[]): Layout | undefined {
  const cards = [...widgets]
    .sort((a, b) => a.y - b.y || a.x - b.x)
    .filter(({ id, type, metrics }) => (type === "group" ? STANDARD.includes(id) : type === "chart" && (metrics?.length ?? 0) > 0))
    .map(({ id, w, metrics }) => ({ id, size: SIZES.find((size) => size >= w) ?? 12, metrics: metrics ?? [] }));
  return cards.length === 0 ? undefined : cards;
}
