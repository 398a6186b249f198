import { QueryClient } from "@tanstack/react-query";
import { afterEach, expect, test, vi } from "vitest";
import { askAhead, lastDayQuery, shownMetrics } from "../../src/api/now";
import type { TileGroup } from "../../src/api/queries";

const group = (...tiles: [metric: string, kind: string][]) => ({ group: "battery", tiles: tiles.map(([metric, kind]) => ({ metric, kind })) }) as unknown as TileGroup;

afterEach(() => vi.unstubAllGlobals());

/** A service that gives these answers, by the last part of the path; anything else is not there. */
function service(answers: Record<string, unknown>): URL[] {
  const asked: URL[] = [];
  vi.stubGlobal("fetch", (to: string | Request) => {
    const url = new URL(typeof to === "string" ? to : to.url, "http://coach.local");
    asked.push(url);
    const answer = answers[url.pathname.split("/").at(-1) ?? ""];
    return Promise.resolve(answer === undefined ? new Response("{}", { status: 404 }) : Response.json(answer));
  });
  return asked;
}

test("every metric that is shown is named once, and a state has no picture", () => {
  const groups = [group(["battery.soc", "gauge"], ["pump", "state"]), group(["fridge", "gauge"])];
  expect(shownMetrics([{ metric: "fridge" }], [{ metric: "solar" }, { metric: null }], groups)).toEqual(["battery.soc", "fridge", "solar"]);
});

test("the pictures are there before the page asks for them", async () => {
  const asked = service({
    overview: { groups: [group(["battery.soc", "gauge"])] }, insights: { insights: [{ metric: "solar" }] }, alerts: { alerts: [] },
    charts: { series: [] },
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  await askAhead(client);
  expect(client.getQueryData(lastDayQuery(["battery.soc", "solar"]).queryKey)).toEqual({ series: [] });
  expect(asked.filter(({ pathname }) => pathname.endsWith("/charts"))).toHaveLength(1);
});

test("where an answer is missing, nothing is asked for by guess", async () => {
  const asked = service({ overview: { groups: [group(["battery.soc", "gauge"])] }, alerts: { alerts: [] } });
  await askAhead(new QueryClient({ defaultOptions: { queries: { retry: false } } }));
  expect(asked.some(({ pathname }) => pathname.endsWith("/charts"))).toBe(false);
});
