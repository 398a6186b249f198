// Who hears about what, and when nobody wants to.
import { useQuery } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import type { FormEvent } from "react";
import { attempt, send } from "../../api/changes";
import { request } from "../../api/client";
import type { Schemas } from "../../api/client";
import { Field, Select, Toggle } from "../../components/form";
import { Button, Failed, Skeleton } from "../../components/parts";
import { PREFERENCES_PATH, requestOf } from "../../lib/synced";

type Stored = Schemas["PreferencesResponse"];
// An answer has every member; the document marks those that a request may leave out.
type Whole<Part> = Part extends readonly unknown[] ? Part : Part extends object ? { [Name in keyof Part]-?: Whole<NonNullable<Part[Name]>> } : Part;
type Notifications = Whole<NonNullable<Stored["notifications"]>>;

export default function NotificationSettings() {
  const { data, error, refetch } = useQuery({ queryKey: ["preferences"], queryFn: () => request<Stored>(PREFERENCES_PATH) });
  if (data === undefined) return error === null ? <Skeleton className="h-64 rounded-2xl" /> : <Failed error={error} again={() => void refetch()} />;
  const notifications = data.notifications as Notifications;
  const put = (change: Partial<Notifications>) =>
    attempt(() => send("PUT", PREFERENCES_PATH, { ...requestOf(data), notifications: { ...notifications, ...change } }, data.etag), ["preferences"]);
  const quiet = notifications.quiet_hours;
  const digest = notifications.digest;
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const type = String(given.get("type"));
    const taken = new Set(notifications.channels.map((channel) => channel.id));
    let id = type;
    for (let number = 2; taken.has(id); number += 1) id = `${type}${number}`;
    const channel = { id, type, url: String(given.get("url")), secret: null, enabled: true, min_severity: String(given.get("severity")), categories: null };
    void put({ channels: [...notifications.channels, channel as Notifications["channels"][number]] }).then((done) => done && form.reset());
  };
  return (
    <div className="space-y-4">
      <section aria-label="Notifications" className="card divide-y px-5">
        <div className="py-3">
          <Toggle label="Send notifications" checked={notifications.enabled} onChange={(enabled) => void put({ enabled })} />
        </div>
        <div className="flex flex-wrap items-end gap-4 py-3">
          <Toggle label="Quiet hours" checked={quiet.enabled} onChange={(enabled) => void put({ quiet_hours: { ...quiet, enabled } })} />
          <Field label="From" type="time" defaultValue={quiet.start} onBlur={(event) => event.target.value !== quiet.start && void put({ quiet_hours: { ...quiet, start: event.target.value } })} />
          <Field label="Until" type="time" defaultValue={quiet.end} onBlur={(event) => event.target.value !== quiet.end && void put({ quiet_hours: { ...quiet, end: event.target.value } })} />
          <Toggle label="What is critical gets through" checked={quiet.critical_override} onChange={(on) => void put({ quiet_hours: { ...quiet, critical_override: on } })} />
        </div>
        <div className="flex flex-wrap items-end gap-4 py-3">
          <Toggle label="Gather what can wait into one message a day" checked={digest.enabled} onChange={(enabled) => void put({ digest: { ...digest, enabled } })} />
          <Field label="At" type="time" defaultValue={digest.at} onBlur={(event) => event.target.value !== digest.at && void put({ digest: { ...digest, at: event.target.value } })} />
        </div>
      </section>
      <section aria-label="Channels" className="card px-5 py-2">
        {notifications.channels.length === 0 && <p className="py-4 text-sm text-soft">No channel yet: insights show on this page only.</p>}
        <ul className="divide-y">
          {notifications.channels.map((channel) => (
            <li key={channel.id} className="flex flex-wrap items-center gap-4 py-3">
              <span className="min-w-0 flex-1">
                <span className="block font-medium">{channel.id}</span>
                <span className="block text-sm text-soft">{channel.type}, from “{channel.min_severity}” on</span>
              </span>
              <Toggle
                label="On"
                checked={channel.enabled}
                onChange={(enabled) => void put({ channels: notifications.channels.map((each) => (each === channel ? { ...each, enabled } : each)) })}
              />
              <Button tone="quiet" aria-label={`Delete ${channel.id}`} onClick={() => void put({ channels: notifications.channels.filter((each) => each !== channel) })}>
                <Trash2 aria-hidden="true" className="size-4" />
              </Button>
            </li>
          ))}
        </ul>
      </section>
      <form onSubmit={add} className="card flex flex-wrap items-end gap-3 p-5">
        <h2 className="w-full font-semibold">A new channel</h2>
        <Select label="Kind" name="type" options={[["webhook", "webhook"], ["email", "e-mail"], ["apprise", "other (Apprise)"]]} />
        <Field label="Address" name="url" required minLength={4} placeholder="https://… or mailtos://user:password@host" />
        <Select label="From" name="severity" defaultValue="medium" options={[["low", "good to know"], ["medium", "worth a look"], ["high", "important"], ["critical", "critical"]]} />
        <Button type="submit" tone="accent">Add it</Button>
      </form>
    </div>
  );
}
