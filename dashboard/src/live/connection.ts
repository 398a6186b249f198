// The WebSocket: one connection for the page, made again for as long as the page lives. Every connect starts whole.
import { useSyncExternalStore } from "react";
import { getToken } from "../api/client";
import { heardServerTime } from "../lib/clock";
import { LiveValues, liveValues } from "./values";

export type State = "connecting" | "live" | "lost" | "refused";

export interface ConnectionView {
  readonly state: State;
  readonly reason: string; // why it was refused
  readonly lostAt: number | undefined; // unix seconds, by this browser
}

interface Frame {
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly timestamp: string;
}

/** Which answers a frame makes old. */
export const OUTDATES: Readonly<Record<string, readonly string[]>> = {
  snapshot: ["overview", "insights", "alerts", "thresholds", "status", "health", "actions", "recommendations"],
  insight: ["insights", "overview", "recommendations"],
  insight_update: ["insights", "overview", "recommendations"],
  alert: ["alerts", "thresholds", "insights", "overview"],
  action: ["actions", "recommendations"],
  pattern: ["patterns"],
  status: ["status", "health"],
  gap: ["overview", "insights", "alerts", "status"],
};

/** And a connection that is back: what was asked for meanwhile has failed, and what is shown may have gone on without us. */
export const OUTDATED_BY_ABSENCE = ["charts", "correlations", "patterns", "cycles", "metrics"] as const;

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const FIRST_VIEW_MS = 2_000;
const PING_MS = 15_000;
const SILENT_MS = 40_000;

/** How long to wait before try number `tries` (from 0), `luck` in 0..1 spreads the clients of one service. */
export function pauseMs(tries: number, luck: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries) * (0.75 + 0.5 * luck);
}

export class Connection {
  private view: ConnectionView = { state: "connecting", reason: "", lostAt: undefined };
  private socket: WebSocket | undefined;
  private tries = 0;
  private isFirst = true;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly values: LiveValues,
    private readonly outdated: (key: string) => void,
  ) {}

  start(): void {
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retryNow();
    });
    this.connect();
  }

  /** Try at once instead of after the pause. */
  retryNow(): void {
    if (this.view.state === "live" || this.socket !== undefined) return;
    clearTimeout(this.timer);
    this.tries = 0;
    this.connect();
  }

  private connect(): void {
    const address = new URL("/ws/analytics", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const token = getToken();
    if (token !== undefined) address.searchParams.set("token", token);
    const socket = new WebSocket(address);
    this.socket = socket;
    this.heardAt = Date.now();
    clearInterval(this.heartbeat);
    this.heartbeat = setInterval(() => this.beat(socket), PING_MS);
    socket.addEventListener("message", (event: MessageEvent<string>) => this.hear(event.data));
    socket.addEventListener("close", (event) => this.ended(socket, event));
  }

  private beat(socket: WebSocket): void {
    if (Date.now() - this.heardAt > SILENT_MS) {
      socket.close();
      this.ended(socket, { code: 1006, reason: "" }); // a dead link's close may take minutes to be told
    } else if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
  }

  private ended(socket: WebSocket, { code, reason }: Pick<CloseEvent, "code" | "reason">): void {
    if (this.socket !== socket) return;
    this.socket = undefined;
    clearInterval(this.heartbeat);
    const refused = code === 1008;
    this.change({
      state: refused ? "refused" : "lost",
      reason: refused ? reason : "",
      lostAt: this.view.lostAt ?? Date.now() / 1000,
    });
    this.timer = setTimeout(() => this.connect(), pauseMs(this.tries, Math.random()));
    this.tries = Math.min(this.tries + 1, 10);
  }

  private hear(text: string): void {
    this.heardAt = Date.now();
    const frame = JSON.parse(text) as Frame;
    heardServerTime(Date.parse(frame.timestamp) / 1000);
    if (frame.type === "metrics") this.values.apply(frame.data as Parameters<LiveValues["apply"]>[0]);
    else if (frame.type === "snapshot") {
      this.values.begin(frame.data["metrics"] as Parameters<LiveValues["begin"]>[0]);
      this.tries = 0;
      this.change({ state: "live", reason: "", lostAt: undefined });
    }
    const keys = OUTDATES[frame.type] ?? [];
    if (frame.type === "snapshot" && this.isFirst) {
      // The page has asked for these just now; what has happened in between is made up for once it has been drawn.
      this.isFirst = false;
      setTimeout(() => keys.forEach((key) => this.outdated(key)), FIRST_VIEW_MS);
    } else for (const key of frame.type === "snapshot" ? [...keys, ...OUTDATED_BY_ABSENCE] : keys) this.outdated(key);
  }

  private change(view: ConnectionView): void {
    this.view = view;
    for (const listener of this.listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): ConnectionView => this.view;
}

let connection: Connection | undefined;

export function startConnection(outdated: (key: string) => void): Connection {
  connection = new Connection(liveValues, outdated);
  connection.start();
  return connection;
}

const NONE: ConnectionView = { state: "connecting", reason: "", lostAt: undefined };

export function useConnection(): ConnectionView {
  return useSyncExternalStore(connection?.subscribe ?? (() => () => undefined), connection?.get ?? (() => NONE));
}

export function retryConnection(): void {
  connection?.retryNow();
}
