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

/** How far ahead of UTC the clock here is at `at`, in seconds. */
function offset(at: number): number {
  return -new Date(at * 1000).getTimezoneOffset() * MINUTE;
}

/** When the clock here says `wall` (seconds since 1970 as if it were UTC); what it skips in spring, right after that. */
function momentOf(wall: number, near: number): number {
  const guess = wall - near;
  const at = wall - offset(guess);
  return at + offset(at) < wall ? guess : at;
}

/** Round local times in [start, end], about `most` of them at most. Days stay days where the clock changes. */
export function ticks(start: number, end: number, most: number): number[] {
  const step = TICK_STEPS.find((each) => (end - start) / each <= most) ?? 365 * DAY;
  const near = offset(start);
  const found: number[] = [];
  for (let wall = Math.ceil((start + near) / step) * step; ; wall += step) {
    const at = step > HOUR ? momentOf(wall, near) : wall - near; // an hour that is lived twice has its marks twice
    if (at > end) return found;
    if (at >= start) found.push(at);
  }
}
