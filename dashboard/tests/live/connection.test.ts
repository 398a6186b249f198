import { beforeEach, afterEach, expect, test, vi } from "vitest";
import { Connection, pauseMs } from "../../src/live/connection";
import { LiveValues } from "../../src/live/values";

class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 1;
  readonly sent: string[] = [];

  constructor(readonly address: URL) {
    super();
    FakeSocket.made.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 2;
  }

  say(type: string, data: unknown = {}): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify({ type, data, timestamp: "2026-01-01T00:00:00Z" }) }));
  }

  end(code = 1006, reason = ""): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
}

const last = (): FakeSocket => {
  const socket = FakeSocket.made.at(-1);
  if (socket === undefined) throw new Error("no socket was made");
  return socket;
};

let outdated: string[];
let values: LiveValues;
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.made = [];
  outdated = [];
  values = new LiveValues(() => undefined);
  connection = new Connection(values, (key) => void outdated.push(key));
  connection.start();
});

afterEach(() => void vi.useRealTimers());

test("a connect starts whole: values at once, answers asked for again", () => {
  expect(last().address.pathname).toBe("/ws/analytics");
  last().say("hello");
  expect(connection.get().state).toBe("connecting");
  last().say("snapshot", { metrics: { a: { value: 3, timestamp: 9 } } });
  expect(connection.get().state).toBe("live");
  expect(values.get("a")?.value).toBe(3);
  expect(outdated).toEqual([]); // the page asked just now
  vi.advanceTimersByTime(2_000);
  expect(outdated).toContain("insights");
  expect(outdated).not.toContain("charts");
  outdated.length = 0;
  last().end();
  vi.advanceTimersByTime(1_000);
  last().say("snapshot", { metrics: {} });
  expect(outdated).toEqual(expect.arrayContaining(["insights", "charts", "cycles"])); // at once: it may have been away for long
});

test("frames say which answers are old", () => {
  last().say("metrics", { a: { value: 1, timestamp: 1 } });
  expect(outdated).toEqual([]);
  last().say("insight");
  expect(outdated).toEqual(["insights", "overview", "recommendations"]);
  outdated.length = 0;
  last().say("action");
  expect(outdated).toEqual(["actions", "recommendations"]);
});

test("a threshold that fires is on the first page and in the settings at once", () => {
  last().say("alert");
  expect(outdated).toEqual(expect.arrayContaining(["alerts", "thresholds"]));
});

test("a lost connection is told with its time, tried again, and whole afterwards", () => {
  last().say("snapshot", { metrics: {} });
  last().end();
  const { state, lostAt } = connection.get();
  expect(state).toBe("lost");
  vi.advanceTimersByTime(1000);
  expect(FakeSocket.made).toHaveLength(2);
  last().end();
  expect(connection.get().lostAt).toBe(lostAt);
  vi.advanceTimersByTime(20_000);
  last().say("snapshot", { metrics: {} });
  expect(connection.get()).toEqual({ state: "live", reason: "", lostAt: undefined });
});

test("a silent link counts as lost, though nobody closed it", () => {
  last().say("snapshot", { metrics: {} });
  vi.advanceTimersByTime(15_000);
  expect(last().sent).toEqual(['{"type":"ping"}']);
  last().say("pong");
  vi.advanceTimersByTime(60_000);
  expect(connection.get().state).not.toBe("live");
  expect(FakeSocket.made.length).toBeGreaterThan(1);
});

test("a refusal says why", () => {
  last().end(1008, "token expired");
  expect(connection.get()).toMatchObject({ state: "refused", reason: "token expired" });
});

test("an old socket's late close does not disturb the new one", () => {
  const first = last();
  first.end();
  vi.advanceTimersByTime(1000);
  last().say("snapshot", { metrics: {} });
  first.end();
  expect(connection.get().state).toBe("live");
});

test("pauses grow, are bounded, and differ between clients", () => {
  expect(pauseMs(0, 0.5)).toBe(500);
  expect(pauseMs(3, 0.5)).toBe(4000);
  expect(pauseMs(50, 1)).toBeLessThanOrEqual(12_500);
  expect(pauseMs(3, 0)).not.toBe(pauseMs(3, 1));
});
