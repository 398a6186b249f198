// The value axis of every chart: round marks, told apart by what they say, in a width that does not depend on the values.
import { fixed } from "../lib/units";
import { valueTicks } from "./rows";

export const AXIS_WIDTH = 64;
const MOST = 8; // characters that have room in it
const SUFFIXES = ["", "k", "M", "G", "T", "P", "E"] as const;

/** A mark as text, with as many digits as tell it from its neighbours: `152,500`, else `1.525M`, else `…67,890`. */
export function markText(marks: readonly number[]): (value: number) => string {
  const largest = Math.max(...marks.map(Math.abs), 0);
  const power = largest === 0 ? 0 : Math.floor(Math.log10(largest));
  const thousands = Math.floor(power / 3);
  const forms = [scaled(marks, 0, "")];
  for (let at = Math.min(thousands, SUFFIXES.length - 1); at > 0; at -= 1) forms.push(scaled(marks, at * 3, SUFFIXES[at] ?? ""));
  forms.push(scaled(marks, power, `e${String(power).replace("-", "−")}`));
  const fits = forms.find((form) => marks.every((mark) => form(mark).length <= MOST));
  const ends = forms.map((form) => (value: number) => ending(form(value)));
  return fits ?? ends.find((form) => new Set(marks.map(form)).size === marks.length) ?? ends[0] ?? String;
}

/** The end of a number that has no room, behind its sign. */
function ending(text: string): string {
  if (text.length <= MOST) return text;
  const sign = text.startsWith("−") ? "−" : "";
  return `${sign}…${text.slice(1 + sign.length - MOST).replace(/^,/, "")}`;
}

/** Marks in units of 10 ** power, all with the same digits after the point: the fewest that lose nothing. */
function scaled(marks: readonly number[], power: number, suffix: string): (value: number) => string {
  const of = (value: number) => value / 10 ** power;
  const exact = (digits: number) => marks.every((mark) => Math.abs(Number(of(mark).toFixed(digits)) - of(mark)) <= Math.abs(of(mark)) * 1e-11);
  let digits = 0;
  while (digits < 15 && !exact(digits)) digits += 1;
  return (value) => (value === 0 ? "0" : `${fixed(of(value), digits)}${suffix}`);
}

/** What a YAxis of Recharts needs for values in `domain` on a chart of this height. */
export function valueAxis(domain: readonly [number, number], height: number, colour = "var(--soft)") {
  const ticks = valueTicks(domain, Math.max(2, Math.floor(height / 48)));
  return {
    width: AXIS_WIDTH,
    domain: [domain[0], domain[1]],
    ticks,
    interval: 0,
    allowDataOverflow: true,
    tickFormatter: markText(ticks),
    tick: { fill: colour, fontSize: 12 },
    tickSize: 4,
    axisLine: false,
    tickLine: false,
  } as const;
}
