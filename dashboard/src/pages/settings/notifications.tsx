// Who hears about what, when nobody wants to, and what became of the messages.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { attempt, save, send } from "../../api/changes";
import { request } from "../../api/client";
import { Field, Select, Toggle } from "../../components/form";
import { Failed, Skeleton } from "../../components/parts";
import { Stale } from "../../components/stale";
import { PREFERENCES_KEY, PREFERENCES_PATH, requestOf } from "../../lib/synced";
import type { Stored } from "../../lib/synced";
import { showToast } from "../../lib/toast";
import { ChannelItem, NewChannel } from "./channels";
import type { Notifications } from "./channels";
import { Deliveries } from "./deliveries";

const ZONES = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];

export default function NotificationSettings() {
  const { data, error, refetch } = useQuery({ queryKey: PREFERENCES_KEY, queryFn: () => request<Stored>(PREFERENCES_PATH) });
  const [isStale, setStale] = useState(false);
  const [round, setRound] = useState(0); // fields begin anew with what is set now
  if (data === undefined) return error === null ? <Skeleton className="h-64 rounded-2xl" /> : <Failed error={error} again={() => void refetch()} />;
  const notifications = data.notifications as Notifications;
  const putWhole = async (change: object) => {
    const outcome = await save(() => send("PUT", PREFERENCES_PATH, { ...requestOf(data), ...change }, data.etag), PREFERENCES_KEY);
    setStale(outcome === "stale");
    return outcome === "done";
  };
  const put = (change: Partial<Notifications>) => putWhole({ notifications: { ...notifications, ...change } });
  const quiet = notifications.quiet_hours;
  const digest = notifications.digest;
  return (
    <div className="space-y-4" key={round}>
      {isStale && <Stale what="this page" onReload={() => { setStale(false); setRound(round + 1); }} />}
      <section aria-label="Notifications" className="card divide-y px-5">
        <div className="py-3">
          <Toggle label="Send notifications" checked={notifications.enabled} onChange={(enabled) => put({ enabled })} />
        </div>
        <div className="py-3">
          <Toggle label="Quiet hours" checked={quiet.enabled} onChange={(enabled) => put({ quiet_hours: { ...quiet, enabled } })} />
          {quiet.enabled && (
            <div className="flex flex-wrap items-end gap-4 pb-1">
              <Time label="From" value={quiet.start} onSet={(start) => void put({ quiet_hours: { ...quiet, start } })} />
              <Time label="Until" value={quiet.end} onSet={(end) => void put({ quiet_hours: { ...quiet, end } })} />
              {ZONES.length > 0 && (
                <div className="w-56">
                  <Select
                    label="By the clock of"
                    value={data.time_zone ?? ""}
                    onChange={(event) => void putWhole({ time_zone: event.target.value === "" ? null : event.target.value })}
                    options={[["", "the coach"], ...ZONES.map((zone) => [zone, zone.replaceAll("_", " ")] as const)]}
                  />
                </div>
              )}
              <Toggle label="What is critical gets through" checked={quiet.critical_override} onChange={(on) => put({ quiet_hours: { ...quiet, critical_override: on } })} />
            </div>
          )}
        </div>
        <div className="py-3">
          <Toggle label="Gather what can wait into one message a day" checked={digest.enabled} onChange={(enabled) => put({ digest: { ...digest, enabled } })} />
          {digest.enabled && <Time label="At" value={digest.at} onSet={(at) => void put({ digest: { ...digest, at } })} />}
        </div>
      </section>
      <section aria-label="Channels" className="card px-5 py-2">
        {notifications.channels.length === 0 && <p className="py-4 text-sm text-soft">No channel yet: what is found shows on this page only.</p>}
        <ul className="divide-y">
          {notifications.channels.map((channel) => (
            <ChannelItem
              key={channel.id}
              channel={channel}
              onChange={(next) => put({ channels: notifications.channels.flatMap((each) => (each === channel ? (next === undefined ? [] : [next]) : [each])) })}
              onTest={() => attempt(() => test(channel.id), ["deliveries"])}
            />
          ))}
        </ul>
      </section>
      <NewChannel taken={new Set(notifications.channels.map(({ id }) => id))} onAdd={(channel) => put({ channels: [...notifications.channels, channel] })} />
      <Deliveries />
    </div>
  );
}

async function test(channelId: string): Promise<void> {
  const { message } = await send<{ message: string }>("POST", "/api/analytics/notifications/test", { channel_id: channelId });
  showToast({ text: `${message}.` });
}

function Time({ label, value, onSet }: { label: string; value: string; onSet: (value: string) => void }) {
  return (
    <div className="w-36">
      <Field label={label} type="time" required defaultValue={value} onBlur={(event) => event.target.value !== "" && event.target.value !== value && onSet(event.target.value)} />
    </div>
  );
}
