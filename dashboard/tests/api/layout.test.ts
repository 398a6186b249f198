import { QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import { createElement } from "react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useArrangement } from "../../src/api/layout";
import { queryClient } from "../../src/api/queries";
import { resized } from "../../src/lib/layout";
import { useToast } from "../../src/lib/toast";

let widgets: { id: string; w: number }[];
let version: number;
let held: (() => void)[]; // answers to PUTs that wait to be given

/** The service: what is changed by an ETag that is not the newest is refused. */
function put(etag: string | null, body: string): Response {
  if (etag !== `"${version}"`) return Response.json({ detail: "It was changed meanwhile" }, { status: 412 });
  version += 1;
  widgets = (JSON.parse(body) as { widgets: typeof widgets }).widgets;
  return Response.json({ etag: `"${version}"` });
}

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  queryClient.clear();
  widgets = [{ id: "battery", w: 4 }, { id: "tanks", w: 4 }].map((each, x) => ({ ...each, type: "group", x: 4 * x, y: 0 }));
  version = 1;
  held = [];
  vi.stubGlobal("fetch", (_: string, { method = "GET", headers, body }: RequestInit) => {
    if (method === "GET") return Promise.resolve(Response.json({ layouts: [{ id: "overview", widgets, etag: `"${version}"` }] }));
    const etag = (headers as Headers).get("If-Match");
    return new Promise((resolve) => held.push(() => resolve(put(etag, String(body)))));
  });
});
afterEach(cleanup);

async function arrangement() {
  const wrapper = ({ children }: { children: ReactNode }) => createElement(QueryClientProvider, { client: queryClient }, children);
  const { result } = renderHook(() => ({ ...useArrangement(), toast: useToast() }), { wrapper });
  await waitFor(() => expect(result.current.isKnown).toBe(true));
  return result;
}

const sizes = () => widgets.map(({ w }) => w);

test("changes that come faster than the service answers are all kept", async () => {
  const result = await arrangement();
  for (const size of [6, 8, 12]) {
    act(() => result.current.change(resized(result.current.layout, "battery", 1)));
    await waitFor(() => expect(result.current.layout[0]?.size).toBe(size));
  }
  await act(() => held.shift()?.());
  await waitFor(() => expect(held).toHaveLength(1));
  await act(() => held.shift()?.());
  await waitFor(() => expect(sizes()).toEqual([12, 4]));
  expect(held).toHaveLength(0);
  act(() => result.current.undo?.());
  await waitFor(() => expect(held).toHaveLength(1));
  await act(() => held.shift()?.());
  await waitFor(() => expect(sizes()).toEqual([8, 4]));
});

test("who was slower than another browser sees its arrangement, and is told so", async () => {
  const result = await arrangement();
  act(() => result.current.change(resized(result.current.layout, "battery", 1)));
  await waitFor(() => expect(held).toHaveLength(1));
  version = 2;
  widgets = widgets.map((each) => ({ ...each, w: 8 }));
  await act(() => held.shift()?.());
  await waitFor(() => expect(result.current.layout[0]?.size).toBe(8));
  expect(result.current.toast?.text).toContain("arranged the cards elsewhere");
  expect(sizes()).toEqual([8, 8]);
});
