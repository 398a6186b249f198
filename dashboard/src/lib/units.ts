// Units as the reader wants them. Conversion is all that happens to a number here.
import type { Preferences } from "./preferences";

interface Conversion {
  readonly to: string;
  readonly of: (value: number) => number;
}

const scaled = (to: string, factor: number): Conversion => ({ to, of: (value) => value * factor });

const TEMPERATURE: Conversion = { to: "°F", of: (value) => value * 1.8 + 32 };
const GALLONS = 0.264172052; // US gallons in a litre
const MILES = 0.621371192; // miles in a kilometre
const PSI = 14.5037738; // psi in a bar

/** What a value in `unit` becomes; undefined: it stays as it is. */
export function conversion(unit: string | null | undefined, wanted: Preferences): Conversion | undefined {
  switch (unit) {
    case "°C":
      return wanted.temperature === "°F" ? TEMPERATURE : undefined;
    case "L":
      return wanted.volume === "gal" ? scaled("gal", GALLONS) : undefined;
    case "L/h":
      return wanted.volume === "gal" ? scaled("gal/h", GALLONS) : undefined;
    case "bar":
      return wanted.pressure === "psi" ? scaled("psi", PSI) : undefined;
    case "kPa":
      return wanted.pressure === "psi" ? scaled("psi", PSI / 100) : undefined;
    case "km":
      return wanted.distance === "mi" ? scaled("mi", MILES) : undefined;
    case "km/h":
      return wanted.distance === "mi" ? scaled("mph", MILES) : undefined;
    default:
      return undefined;
  }
}

const DIGITS: Readonly<Record<string, number>> = {
  V: 2, A: 1, W: 0, "%": 0, "°C": 1, "°F": 0, Hz: 2, rpm: 0, ms: 0, h: 1, km: 0, mi: 0, "km/h": 0, mph: 0, bar: 2, psi: 1,
}; // prettier-ignore

const formats = new Map<number, Intl.NumberFormat>();

function format(digits: number): Intl.NumberFormat {
  let found = formats.get(digits);
  if (found === undefined) {
    found = new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, found);
  }
  return found;
}

/** With so many digits after the point, and a minus that is one. */
export function fixed(value: number, digits: number): string {
  const text = format(digits).format(value);
  return /^-0([.,]0*)?$/.test(text) ? text.slice(1) : text.replace("-", "−");
}

/** Digits after the point: those of the unit, else what makes three significant ones. */
export function digitsFor(value: number, unit: string | null): number {
  const known = unit === null ? undefined : DIGITS[unit];
  if (known !== undefined) return known;
  if (value === 0 || Number.isInteger(value)) return 0;
  return Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
}

export interface Shown {
  readonly number: string;
  readonly unit: string;
}

/** A value for people. */
export function shown(value: number | null | undefined, unit: string | null | undefined, wanted: Preferences): Shown {
  const change = conversion(unit, wanted);
  const to = change?.to ?? unit ?? "";
  if (value === null || value === undefined || !Number.isFinite(value)) return { number: "–", unit: to };
  const converted = change === undefined ? value : change.of(value);
  if (Math.abs(converted) >= 1e7 || (converted !== 0 && Math.abs(converted) < 1e-6)) {
    return { number: converted.toPrecision(3), unit: to };
  }
  return { number: fixed(converted, digitsFor(converted, to || null)), unit: to };
}

/** A difference of two values: 10 °C warmer is 18 °F warmer. With a sign when `signed`. */
export function shownDifference(value: number, unit: string | null | undefined, wanted: Preferences, signed = false): string {
  const change = conversion(unit, wanted);
  const text = shownText(change === undefined ? value : change.of(value) - change.of(0), change?.to ?? unit, wanted);
  return signed && value > 0 ? `+${text}` : text;
}

export function shownText(value: number | null | undefined, unit: string | null | undefined, wanted: Preferences): string {
  const { number, unit: to } = shown(value, unit, wanted);
  return to === "" ? number : to === "%" ? `${number} %` : `${number} ${to}`;
}

/** What a reader has typed in the wanted unit, in the metric's own. */
export function given(value: number, unit: string | null | undefined, wanted: Preferences): number {
  const change = conversion(unit, wanted);
  return change === undefined ? value : givenDifference(value - change.of(0), unit, wanted);
}

/** As `given`, for a difference. */
export function givenDifference(value: number, unit: string | null | undefined, wanted: Preferences): number {
  const change = conversion(unit, wanted);
  return change === undefined ? value : Number((value / (change.of(1) - change.of(0))).toPrecision(9));
}

// A number, or two of them with "to" between, and a unit. Differences have a narrow no-break space there (analytics/words.py).
const QUANTITY = /(?:([-−]?\d[\d.,]*) to )?([-−]?\d[\d.,]*)([ \u00a0\u202f])(°C|L\/h|L|kPa|bar|km\/h|km)(?![\p{L}\p{N}/])/gu;

/** A sentence of the service in the reader's units. */
export function inUnits(text: string, wanted: Preferences): string {
  return text.replace(QUANTITY, (all, low: string | undefined, number: string, space: string, unit: string) => {
    if (conversion(unit, wanted) === undefined) return all;
    const [from, to] = [low, number].map((each) => (each === undefined ? undefined : Number(each.replace("−", "-").replaceAll(",", ""))));
    if (to === undefined || Number.isNaN(to) || Number.isNaN(from)) return all;
    const said = space === "\u202f" ? shownDifference(to, unit, wanted) : shownText(to, unit, wanted);
    return from === undefined ? said : `${shown(from, unit, wanted).number} to ${said}`;
  });
}

/** On and off for what is a switch, else the value. */
export function stateText(value: number): string {
  return value === 0 ? "off" : value === 1 ? "on" : String(value);
}
