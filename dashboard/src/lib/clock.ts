// The service's clock, as far as this browser can know it. The browser's own may be wrong by years.

const STEADY = 0.2; // weight of a new reading: one slow frame must not move the clock

let offsetSeconds: number | undefined;

/** A reading: the service said `serverSeconds` just now. The first one counts whole; a jump is believed at once. */
export function heardServerTime(serverSeconds: number, localSeconds = Date.now() / 1000): void {
  if (!Number.isFinite(serverSeconds)) return;
  const reading = serverSeconds - localSeconds;
  if (offsetSeconds === undefined || Math.abs(reading - offsetSeconds) > 5) offsetSeconds = reading;
  else offsetSeconds += STEADY * (reading - offsetSeconds);
}

/** Unix seconds by the service's clock. */
export function serverNow(localSeconds = Date.now() / 1000): number {
  return localSeconds + (offsetSeconds ?? 0);
}

/** How far this browser's clock is off, in seconds; undefined before the service was heard. */
export function browserClockError(): number | undefined {
  return offsetSeconds === undefined ? undefined : -offsetSeconds;
}
