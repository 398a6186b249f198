// Times and spans for people. Seconds in, words out.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** `just now`, `40 s`, `12 min`, `3 h`, `2 days`. */
export function span(seconds: number): string {
  const length = Math.abs(seconds);
  if (length < MINUTE) return `${Math.round(length)} s`;
  if (length < 90 * MINUTE) return `${Math.round(length / MINUTE)} min`;
  if (length < 2 * DAY) {
    const hours = length / HOUR;
    return hours < 10 && Math.abs(hours - Math.round(hours)) > 0.15 ? `${hours.toFixed(1)} h` : `${Math.round(hours)} h`;
  }
  return `${Math.round(length / DAY)} days`;
}

export function ago(seconds: number): string {
  if (seconds < 5) return "just now";
  return `${span(seconds)} ago`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
}); // prettier-ignore
const precise = new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hourCycle: "h23",
}); // prettier-ignore
const toTheSecond = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export function clockTime(seconds: number): string {
  return clock.format(seconds * 1000);
}

export function preciseClock(seconds: number): string {
  return toTheSecond.format(seconds * 1000);
}

export function moment(seconds: number): string {
  return exact.format(seconds * 1000);
}

export function preciseMoment(seconds: number): string {
  return precise.format(seconds * 1000);
}

/** Marks of a time axis over a span of `length` seconds: the time where days are few, else the date. */
export function axisLabel(seconds: number, length: number): string {
  if (length <= 1.2 * DAY) return clock.format(seconds * 1000);
  if (length <= 4 * DAY) {
    const date = new Date(seconds * 1000);
    return date.getHours() === 0 && date.getMinutes() === 0 ? day.format(date) : clock.format(date);
  }
  return day.format(seconds * 1000);
}

const TICK_STEPS = [1, 5, 15, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY,
  2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY]; // prettier-ignore

/** Round local times in [start, end], at most `most` of them. */
export function ticks(start: number, end: number, most: number): number[] {
  const step = TICK_STEPS.find((each) => (end - start) / each <= most) ?? 365 * DAY;
  const offset = -new Date(start * 1000).getTimezoneOffset() * MINUTE;
  const found: number[] = [];
  for (let at = Math.ceil((start + offset) / step) * step - offset; at <= end; at += step) found.push(at);
  return found;
}
