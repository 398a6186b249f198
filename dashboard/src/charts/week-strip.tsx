// A week of hours: each cell is what that hour of that weekday usually is.
import { memo } from "react";
import type { Cycle } from "../api/queries";
import { usePreferences } from "../lib/preferences";
import { shownText } from "../lib/units";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

export const WeekStrip = memo(function WeekStrip({ cycle }: { cycle: Cycle }) {
  const wanted = usePreferences();
  const known = cycle.week.flat().filter((value): value is number => value !== null);
  if (known.length === 0) return null;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const share = (value: number) => (high === low ? 50 : ((value - low) / (high - low)) * 100);
  return (
    <div className="relative" role="region" aria-label="Usual value by weekday and hour">
      <table className="w-full table-fixed border-separate border-spacing-px text-xs sm:border-spacing-0.5">
        <thead>
          <tr>
            <th scope="col" className="w-10"><span className="sr-only">Weekday</span></th>
            {Array.from({ length: 24 }, (_, hour) => (
              <th key={hour} scope="col" className="font-normal whitespace-nowrap text-soft">
                {/* A cell of a phone is narrower than two digits: they stand over its middle, and out of it. */}
                {hour % 6 === 0 ? <span className="flex justify-center">{hour}</span> : <span className="sr-only">{hour}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {DAYS.map((day, row) => (
            <tr key={day}>
              <th scope="row" className="text-left font-normal text-soft">{day}</th>
              {Array.from({ length: 24 }, (_, hour) => {
                const value = cycle.week[row]?.[hour] ?? null;
                const text = `${day} ${String(hour).padStart(2, "0")}:00: ${value === null ? "unknown" : shownText(value, cycle.unit, wanted)}`;
                return (
                  <td
                    key={hour}
                    title={text}
                    className={value === null ? "hatched h-6 rounded-sm" : "h-6 rounded-sm"}
                    style={value === null ? {} : { background: `color-mix(in oklab, var(--series-3) ${share(value).toFixed(0)}%, var(--raised))` }}
                  >
                    <span className="sr-only">{text}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="mt-1 flex justify-between text-xs text-soft">
        <span>faintest: {shownText(low, cycle.unit, wanted)}</span>
        <span>strongest: {shownText(high, cycle.unit, wanted)}</span>
      </p>
    </div>
  );
});
