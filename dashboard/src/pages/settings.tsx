// Settings: how this page shows things, what to be told of, figures, and who hears about it.
import { Suspense } from "react";
import type { ReactNode } from "react";
import { useParams } from "wouter";
import { Choice, PageHeader, Skeleton } from "../components/parts";
import { SubPages } from "../components/sub-pages";
import { useTitle } from "../lib/hooks";
import { lazyPart } from "../lib/lazy-part";
import { usePreferences } from "../lib/preferences";
import { changePreferences } from "../lib/synced";

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

const TOPICS = [
  ["", "Appearance", undefined],
  ["first-page", "First page", lazyPart(() => import("./settings/first-page"))],
  ["thresholds", "Thresholds", lazyPart(() => import("./settings/thresholds"))],
  ["kpis", "Figures", lazyPart(() => import("./settings/kpis"))],
  ["notifications", "Notifications", lazyPart(() => import("./settings/notifications"))],
] as const;

export default function Settings() {
  const topic = useParams<{ "*"?: string }>()["*"] ?? "";
  const [, name, Page] = TOPICS.find(([path]) => path === topic) ?? TOPICS[0];
  useTitle(`${name}, Settings`);
  return (
    <>
      <PageHeader title="Settings" />
      <SubPages label="Settings" base="/settings" topics={TOPICS} topic={topic} />
      {Page === undefined ? (
        <Appearance />
      ) : (
        <Suspense fallback={<Skeleton className="h-64 rounded-2xl" />}>
          <Page />
        </Suspense>
      )}
    </>
  );
}

function Appearance() {
  const wanted = usePreferences();
  return (
    <>
      <section aria-label="Appearance" className="card divide-y px-5">
        <Setting title="Theme" text="Night shifts everything to a dim red, so that eyes stay used to the dark.">
          <Choice
            label="Theme"
            value={wanted.theme}
            onChange={(theme) => void changePreferences({ theme })}
            options={[["auto", "As the device"], ["light", "Light"], ["dark", "Dark"], ["night", "Night red"]]}
          />
        </Setting>
        <Setting title="Temperature" text="Values, charts and sentences. Messages that are sent out say °C.">
          <Choice
            label="Temperature"
            value={wanted.temperature}
            onChange={(temperature) => void changePreferences({ temperature })}
            options={[["°C", "°C"], ["°F", "°F"]]}
          />
        </Setting>
        <Setting title="Volume" text="Fuel and water.">
          <Choice
            label="Volume"
            value={wanted.volume}
            onChange={(volume) => void changePreferences({ volume })}
            options={[["L", "litres"], ["gal", "US gallons"]]}
          />
        </Setting>
        <Setting title="Pressure" text="Tyres, oil, water.">
          <Choice
            label="Pressure"
            value={wanted.pressure}
            onChange={(pressure) => void changePreferences({ pressure })}
            options={[["bar", "bar"], ["psi", "psi"]]}
          />
        </Setting>
        <Setting title="Distance" text="Speed and odometer.">
          <Choice
            label="Distance"
            value={wanted.distance}
            onChange={(distance) => void changePreferences({ distance })}
            options={[["km", "km"], ["mi", "miles"]]}
          />
        </Setting>
      </section>
      <p className="mt-3 text-sm text-soft">Kept for you by the service, and in this browser.</p>
    </>
  );
}
