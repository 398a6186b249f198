// How this page shows things: theme and units.
import type { ReactNode } from "react";
import { Choice, PageHeader } from "../components/parts";
import { useTitle } from "../lib/hooks";
import { setPreferences, usePreferences } from "../lib/preferences";

function Setting({ title, text, children }: { title: string; text: string; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 py-4">
      <div className="max-w-prose">
        <h3 className="font-medium">{title}</h3>
        <p className="text-sm text-soft">{text}</p>
      </div>
      {children}
    </div>
  );
}

export default function Settings() {
  useTitle("Settings");
  const wanted = usePreferences();
  return (
    <>
      <PageHeader title="Settings" />
      <section aria-label="Appearance" className="card divide-y px-5">
        <Setting title="Theme" text="Night shifts everything to a dim red, so that eyes stay used to the dark.">
          <Choice
            label="Theme"
            value={wanted.theme}
            onChange={(theme) => setPreferences({ theme })}
            options={[["auto", "As the device"], ["light", "Light"], ["dark", "Dark"], ["night", "Night red"]]}
          />
        </Setting>
        <Setting title="Temperature" text="Values and charts. Sentences of the service keep °C.">
          <Choice
            label="Temperature"
            value={wanted.temperature}
            onChange={(temperature) => setPreferences({ temperature })}
            options={[["°C", "°C"], ["°F", "°F"]]}
          />
        </Setting>
        <Setting title="Volume" text="Fuel and water.">
          <Choice
            label="Volume"
            value={wanted.volume}
            onChange={(volume) => setPreferences({ volume })}
            options={[["L", "litres"], ["gal", "US gallons"]]}
          />
        </Setting>
        <Setting title="Pressure" text="Tyres, oil, water.">
          <Choice
            label="Pressure"
            value={wanted.pressure}
            onChange={(pressure) => setPreferences({ pressure })}
            options={[["bar", "bar"], ["psi", "psi"]]}
          />
        </Setting>
        <Setting title="Distance" text="Speed and odometer.">
          <Choice
            label="Distance"
            value={wanted.distance}
            onChange={(distance) => setPreferences({ distance })}
            options={[["km", "km"], ["mi", "miles"]]}
          />
        </Setting>
      </section>
      <p className="mt-3 text-sm text-soft">Kept in this browser.</p>
    </>
  );
}
