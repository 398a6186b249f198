// The sentence at the top of the first page, and what a threshold that fires is called, made of what the service said.
import type { Schemas } from "../api/client";
import type { Alert, Insight, PowerNode, Tile, TileGroup } from "../api/queries";
import type { Preferences } from "./preferences";
import { shownText } from "./units";

const COUNTS = ["", "One thing", "Two things", "Three things", "Four things", "Five things", "Six things"];
const PRESSING = new Set(["high", "critical"]);

const whole = new Intl.NumberFormat("en");

/** `1 time`, `2 times`, `1,200 tries`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}

/** Who it was, as people call them: the service tells users of the core, its own tokens and, where nobody is asked, `local` apart. */
export function person(by: string): string {
  return by === "local" ? "somebody at this service" : by.replace(/^user:/, "").replace(/^token:/, "token ");
}

export interface Headline {
  readonly title: string;
  readonly text: string;
  readonly isWell: boolean; // nothing open, nothing put off, nothing outside its limits
}

function things(count: number): string {
  return COUNTS[count] ?? `${count} things`;
}

const SEVERITIES = ["critical", "high", "medium", "low"];

/** What to look at first: what is most severe, and of that what its owner wants to be told of. */
export function bySeverity<One extends Pick<Alert, "severity">, Other extends Pick<Insight, "severity">>(alerts: readonly One[], insights: readonly Other[]): (One | Other)[] {
  return [...alerts, ...insights].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** Alerts that count: what is back, and only watched until it stays there, has its card and no more. */
export function holding<One extends Pick<Alert, "state">>(alerts: readonly One[]): One[] {
  return alerts.filter(({ state }) => state !== "recovering");
}

/** `open`: insights and alerts. `putOff`: insights that somebody has snoozed or dismissed, and that still hold. */
export function headline(
  open: readonly Pick<Insight, "severity">[],
  putOff: readonly Pick<Insight, "metric">[],
  groups: readonly TileGroup[],
  power: readonly PowerNode[],
): Headline {
  const pressing = open.filter(({ severity }) => PRESSING.has(severity)).length;
  const minor = open.length - pressing;
  const quiet = quietTitle(putOff, groups);
  let title = quiet ?? "All is well.";
  if (pressing > 0) {
    title = `${things(pressing)} ${pressing === 1 ? "needs" : "need"} attention`;
    title += minor > 0 ? `, ${things(minor).toLowerCase()} ${minor === 1 ? "is" : "are"} worth a look.` : ".";
  } else if (minor > 0) title = `${things(minor)} ${minor === 1 ? "is" : "are"} worth a look.`;
  return { title, text: situation(groups, power), isWell: open.length === 0 && quiet === undefined };
}

/** What keeps all from being well though nothing is open. */
function quietTitle(putOff: readonly Pick<Insight, "metric">[], groups: readonly TileGroup[]): string | undefined {
  const known = new Set(putOff.map(({ metric }) => metric));
  const outside = groups.flatMap((group) => group.tiles).filter((tile) => isOutside(tile) && !known.has(tile.metric));
  const later = `${things(putOff.length).toLowerCase()} ${putOff.length === 1 ? "is" : "are"} put off.`;
  const [first] = outside;
  if (first === undefined) return putOff.length === 0 ? undefined : `Nothing new, ${later}`;
  const beyond = outside.length === 1 ? `${first.title} is outside its limits` : `${outside.length} values are outside their limits`;
  return putOff.length === 0 ? `${beyond}.` : `${beyond}, ${later}`;
}

function isOutside({ level }: Tile): boolean {
  return level === "warning" || level === "critical";
}

/** `House battery voltage is above 10 V: 13.3 V`. */
export function alertTitle(alert: Alert, metricTitle: string): string {
  return alert.state === "recovering" ? `${metricTitle} is back within its limit, and watched until it stays there` : alert.message;
}

/** How far beyond its limit it has been, as the end of a sentence. */
export function furthestText({ peak }: Pick<Schemas["ThresholdState"], "peak">, unit: string | null | undefined, wanted: Preferences): string {
  return peak === null ? "" : `, at its furthest ${shownText(peak, unit, wanted)}`;
}

/** Battery and power in one sentence, fresh water in another. */
function situation(groups: readonly TileGroup[], power: readonly PowerNode[]): string {
  const tiles = groups.flatMap((group) => group.tiles);
  const charge = tiles.find((tile) => tile.role === "battery_soc");
  const battery = power.find((node) => node.node === "battery");
  const sentences: string[] = [];
  if (charge?.value != null) {
    let sentence = `The battery is at ${Math.round(charge.value)} %`;
    if (battery !== undefined) {
      sentence += battery.watts === 0 ? " and resting" : `, ${battery.text} with ${Math.abs(battery.watts)} W`;
    }
    sentences.push(`${sentence}.`);
  }
  const water = tiles.find((tile) => tile.role === "fresh_tank");
  if (water?.value != null) sentences.push(`Fresh water is at ${Math.round(water.value)} %.`);
  return sentences.join(" ");
}
