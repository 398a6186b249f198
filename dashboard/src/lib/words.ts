// The sentence at the top of the first page, made of what the service said.
import type { Insight, PowerNode, TileGroup } from "../api/queries";

const COUNTS = ["", "One thing", "Two things", "Three things", "Four things", "Five things", "Six things"];
const PRESSING = new Set(["high", "critical"]);

export interface Headline {
  readonly title: string;
  readonly text: string;
}

function things(count: number): string {
  return COUNTS[count] ?? `${count} things`;
}

export function headline(insights: readonly Insight[], groups: readonly TileGroup[], power: readonly PowerNode[]): Headline {
  const pressing = insights.filter((insight) => PRESSING.has(insight.severity)).length;
  const minor = insights.length - pressing;
  let title = "All is well.";
  if (pressing > 0) {
    title = `${things(pressing)} ${pressing === 1 ? "needs" : "need"} attention`;
    title += minor > 0 ? `, ${things(minor).toLowerCase()} ${minor === 1 ? "is" : "are"} worth a look.` : ".";
  } else if (minor > 0) title = `${things(minor)} ${minor === 1 ? "is" : "are"} worth a look.`;
  return { title, text: situation(groups, power) };
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
