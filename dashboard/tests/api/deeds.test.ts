import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { press } from "../../src/api/deeds";
import type { Recommendation } from "../../src/lib/deeds";

const ADVICE = { recommendation_id: "i.0.fan", risk: "green" } as Recommendation;
const asked: { key: string; body: unknown }[] = [];
let answers: (() => Promise<Response>)[] = [];

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal("fetch", (_: string, { headers, body }: RequestInit) => {
    asked.push({ key: (headers as Headers).get("Idempotency-Key") ?? "", body: JSON.parse(String(body)) });
    return (answers.shift() ?? (() => Promise.resolve(Response.json({ action_id: String(asked.length) }))))();
  });
});
afterEach(() => vi.unstubAllGlobals());

test("names the recommendation and nothing else, with a key for each press", async () => {
  await press(ADVICE, false);
  await press(ADVICE, true);
  expect(asked.map((each) => each.body)).toEqual([
    { recommendation_id: "i.0.fan", confirm: false },
    { recommendation_id: "i.0.fan", confirm: true },
  ]);
  expect(asked[0]?.key).toMatch(/^[0-9a-f]{32}$/);
  expect(asked[0]?.key).not.toBe(asked[1]?.key);
});

test("a second click while the first is on its way is none", async () => {
  let answer: (response: Response) => void = () => undefined;
  answers = [() => new Promise((resolve) => (answer = resolve))];
  const first = press(ADVICE, false);
  await press(ADVICE, false);
  expect(asked).toHaveLength(1);
  answer(Response.json({ action_id: "1" }));
  await first;
});

test("a press that was not answered is the same press when it is pressed again; a refused one is not", async () => {
  answers = [
    () => Promise.reject(new TypeError("network")),
    () => Promise.resolve(Response.json({ detail: "Another action is not over yet" }, { status: 409 })),
  ];
  await press(ADVICE, false);
  await press(ADVICE, false);
  await press(ADVICE, false);
  expect(asked[1]?.key).toBe(asked[0]?.key);
  expect(asked[2]?.key).not.toBe(asked[1]?.key);
});
