import { expect, test } from "vitest";
import { ALL, DEFAULT_VIEW, parseTrends, trendsLink, trendsSearch } from "../../src/lib/links";

const NASTY = ["a,b", "<img src=x onerror=alert(1)>", "häß/lich?&=#+ %20", " "];

test("a view survives its address, whatever the metrics are called", () => {
  const view = { metrics: NASTY, from: 1_760_000_000, to: 1_760_003_600, table: true };
  expect(parseTrends(trendsSearch(view))).toEqual(view);
  expect(parseTrends(trendsSearch({ ...view, from: -900, to: undefined, table: false }))).toEqual({ ...view, from: -900, to: undefined, table: false });
  expect(parseTrends(trendsSearch({ ...view, from: ALL, to: undefined })).from).toBe(ALL);
});

test("the default is a short address", () => {
  expect(trendsLink({})).toBe("/trends");
  expect(trendsLink({ metrics: ["a"] })).toBe("/trends?m=a");
});

test.each(["from=x", "from=NaN", "from=1e99", "from=0", "from=500&to=400", "to=-3", "from=", "m=", "from=5&to=3", "to=3"])("nonsense (%s) is the default", (search) => {
  const view = parseTrends(search);
  expect(view).toEqual(DEFAULT_VIEW);
});

test("an address cannot ask for any number of charts", () => {
  const search = Array.from({ length: 500 }, (_, index) => `m=x${index}`).join("&");
  expect(parseTrends(search).metrics).toHaveLength(12);
  expect(parseTrends("m=a&m=a&m=b").metrics).toEqual(["a", "b"]);
});
