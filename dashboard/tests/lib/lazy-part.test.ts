import { expect, test, vi } from "vitest";
import { fetchParts, isPartMissing, lazyPart } from "../../src/lib/lazy-part";

const loaded = () => Promise.resolve({ default: () => null });

test("all parts are fetched ahead, those a fetched one brings too; one that fails is missing, and stops no other", async () => {
  lazyPart(loaded);
  await fetchParts();
  expect(isPartMissing()).toBe(false);
  const inner = vi.fn(loaded);
  lazyPart(() => Promise.reject<{ default: () => null }>(new Error("no network")));
  lazyPart(() => {
    lazyPart(inner);
    return loaded();
  });
  await fetchParts();
  expect(inner).toHaveBeenCalledTimes(1);
  expect(isPartMissing()).toBe(true);
});
