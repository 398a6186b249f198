// What stands around every page: the way to the others, and whether what is shown is live.
import { ChartLine, Grid3x3, LayoutDashboard, Moon, Repeat, Server, Settings, Sun, SunMoon, TriangleAlert, WifiOff, X } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ReactNode } from "react";
import { Link, useRoute } from "wouter";
import { setToken } from "../api/client";
import { overviewQuery, queryClient } from "../api/queries";
import { retryConnection, useConnection } from "../live/connection";
import { liveValues } from "../live/values";
import { browserClockError } from "../lib/clock";
import { useNow } from "../lib/hooks";
import { usePreferences } from "../lib/preferences";
import type { Theme } from "../lib/preferences";
import { changePreferences, pullPreferences } from "../lib/synced";
import { ago, span } from "../lib/times";
import { showToast, useToast } from "../lib/toast";
import { Button, cx } from "./parts";

const PAGES = [
  { path: "/", name: "Now", Icon: LayoutDashboard },
  { path: "/trends", name: "Trends", Icon: ChartLine },
  { path: "/patterns", name: "Patterns", Icon: Repeat },
  { path: "/correlations", name: "Together", Icon: Grid3x3 },
  { path: "/system", name: "System", Icon: Server },
] as const;

function NavLink({ path, name, Icon }: (typeof PAGES)[number]) {
  const [here] = useRoute(path === "/" ? path : `${path}/*?`);
  return (
    <Link
      href={path}
      aria-current={here ? "page" : undefined}
      className={cx(
        "flex min-h-14 flex-1 flex-col items-center justify-center gap-0.5 rounded-xl text-xs font-medium",
        "lg:min-h-11 lg:flex-none lg:flex-row lg:justify-start lg:gap-3 lg:px-3 lg:text-sm",
        here ? "text-accent lg:bg-raised" : "text-soft hover:text-ink lg:hover:bg-raised",
      )}
    >
      <Icon aria-hidden="true" className="size-5 shrink-0" />
      {name}
    </Link>
  );
}

const NEXT: Record<Theme, readonly [Theme, string, typeof Sun]> = {
  auto: ["night", "Theme follows the system. Switch to night red", SunMoon],
  night: ["light", "Night theme. Switch to light", Moon],
  light: ["dark", "Light theme. Switch to dark", Sun],
  dark: ["auto", "Dark theme. Follow the system", Moon],
};

function ThemeButton() {
  const { theme } = usePreferences();
  const [next, label, Icon] = NEXT[theme];
  return (
    <Button tone="quiet" aria-label={label} title={label} onClick={() => void changePreferences({ theme: next })}>
      <Icon aria-hidden="true" className="size-5" />
    </Button>
  );
}

function SettingsLink() {
  const [here] = useRoute("/settings/*?");
  return (
    <Link
      href="/settings"
      aria-label="Settings"
      aria-current={here ? "page" : undefined}
      className={cx(
        "inline-flex min-h-11 min-w-11 items-center justify-center rounded-[0.625rem] hover:bg-raised",
        here ? "text-accent" : "text-soft hover:text-ink",
      )}
    >
      <Settings aria-hidden="true" className="size-5" />
    </Link>
  );
}

function LiveMark() {
  const { state } = useConnection();
  const live = state === "live";
  return (
    <span className="inline-flex items-center gap-2 text-xs text-soft" data-testid="live-mark">
      <span aria-hidden="true" className={cx("size-2 rounded-full", live ? "bg-good" : "bg-warning")} />
      {live ? "live" : state === "connecting" ? "connecting" : "not live"}
    </span>
  );
}

/** By the newest value heard; before the first one by the overview, which the service worker keeps. */
function DataAge() {
  const now = useNow(1);
  const overview = useQuery(overviewQuery);
  const newest = liveValues.newest > 0 ? liveValues.newest : overview.data?.generated_at;
  return <>{newest === undefined ? "Nothing has arrived yet." : `What you see is from ${ago(Math.max(0, now - newest))}.`}</>;
}

function Banner() {
  const { state, reason, lostAt } = useConnection();
  if (lostAt === undefined || state === "live" || state === "connecting") return null;
  if (state === "refused") return <SignIn reason={reason} />;
  return (
    <div role="status" className="mb-5 flex flex-wrap items-center justify-between gap-3 rounded-2xl border border-warning bg-surface px-4 py-3">
      <p className="flex items-start gap-3 text-sm">
        <WifiOff aria-hidden="true" className="mt-0.5 size-5 shrink-0 text-warning" />
        <span>
          <span className="font-semibold">No connection to the service.</span> <DataAge /> Trying again by itself.
        </span>
      </p>
      <Button onClick={retryConnection}>Try now</Button>
    </div>
  );
}

export function SignIn({ reason }: { reason: string }) {
  const [text, setText] = useState("");
  const expired = reason.includes("expired");
  return (
    <form
      className="card mb-5 flex flex-wrap items-end gap-3 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        setToken(text.trim() === "" ? undefined : text.trim());
        retryConnection();
        void pullPreferences();
        void queryClient.resetQueries();
      }}
    >
      <p className="w-full text-sm">
        <span className="font-semibold">{expired ? "Your sign-in has expired." : "This service asks who you are."}</span>{" "}
        <span className="text-soft">Paste an access token; `coachiq-analytics token create` makes one.</span>
      </p>
      <label className="flex min-w-0 flex-1 flex-col gap-1 text-sm text-soft">
        Access token
        <input className="field w-full" type="password" autoComplete="off" value={text} onChange={(event) => setText(event.target.value)} />
      </label>
      <Button type="submit" tone="accent">
        Sign in
      </Button>
    </form>
  );
}

const WORTH_TELLING = 60; // seconds that a browser's clock may be off before it is told

function Notes() {
  const { data, error } = useQuery(overviewQuery);
  const { state } = useConnection();
  const off = browserClockError() ?? 0;
  return (
    <>
      {error !== null && "status" in error && (error.status === 401 || error.status === 403) && state !== "refused" && (
        <SignIn reason={error.message} />
      )}
      {Math.abs(off) > WORTH_TELLING && (
        <p role="note" className="mb-4 flex items-start gap-2 text-sm text-soft">
          <TriangleAlert aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-warning" />
          This device's clock is {span(off)} {off > 0 ? "ahead of" : "behind"} the coach's. Ages are told by the coach's clock.
        </p>
      )}
      {data?.simulated === true && (
        <p role="note" className="mb-4 inline-flex rounded-full border px-3 py-1 text-xs text-soft">
          Simulated coach: nothing here is measured
        </p>
      )}
    </>
  );
}

function ToastBar() {
  const toast = useToast();
  return (
    <div role="status" className="pointer-events-none fixed inset-x-0 bottom-20 z-50 flex justify-center px-4 lg:bottom-6">
      {toast !== undefined && (
        <div className="pointer-events-auto flex max-w-lg items-center gap-3 rounded-2xl border bg-raised py-2 pr-2 pl-4 text-sm shadow-2xl">
          <span className="min-w-0">{toast.text}</span>
          {toast.undo !== undefined && (
            <Button
              onClick={() => {
                toast.undo?.();
                showToast(undefined);
              }}
            >
              Undo
            </Button>
          )}
          <Button tone="quiet" aria-label="Close" onClick={() => showToast(undefined)}>
            <X aria-hidden="true" className="size-4" />
          </Button>
        </div>
      )}
    </div>
  );
}

export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[13rem_minmax(0,1fr)]">
      <a href="#page" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-accent focus:px-4 focus:py-2 focus:text-on-accent">
        Skip to the page
      </a>
      <header className="flex items-center justify-between gap-2 px-4 pt-3 sm:px-6 lg:sticky lg:top-0 lg:h-dvh lg:flex-col lg:items-stretch lg:border-r lg:p-4">
        <div className="flex items-center gap-2.5 lg:px-2 lg:py-3">
          <svg aria-hidden="true" viewBox="0 0 64 64" className="size-7 shrink-0">
            <rect width="64" height="64" rx="16" fill="var(--raised)" />
            <path d="M8 40h10l6-18 9 28 7-18 4 8h12" fill="none" stroke="var(--accent)" strokeWidth="5" strokeLinecap="round" strokeLinejoin="round" />
          </svg>
          <span className="leading-tight">
            <span className="block text-sm font-semibold">CoachIQ</span>
            <LiveMark />
          </span>
        </div>
        <nav
          aria-label="Pages"
          className="fixed inset-x-0 bottom-0 z-40 flex border-t bg-surface px-1 pb-[env(safe-area-inset-bottom)] lg:static lg:mt-2 lg:flex-1 lg:flex-col lg:gap-1 lg:border-0 lg:bg-transparent lg:p-0 print:hidden"
        >
          {PAGES.map((page) => (
            <NavLink key={page.path} {...page} />
          ))}
        </nav>
        <div className="flex items-center">
          <ThemeButton />
          <SettingsLink />
        </div>
      </header>
      <main id="page" tabIndex={-1} className="mx-auto w-full max-w-[110rem] px-4 pt-5 pb-28 outline-none sm:px-6 lg:px-8 lg:pt-8 lg:pb-12">
        <Banner />
        <Notes />
        {children}
      </main>
      <ToastBar />
    </div>
  );
}
