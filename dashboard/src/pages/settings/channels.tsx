// The ways to reach a person, one line each: for what, whether it works, and away with it.
import { Send, Trash2 } from "lucide-react";
import { useState } from "react";
import type { FormEvent } from "react";
import { Field, Select, Toggle } from "../../components/form";
import { Button } from "../../components/parts";
import type { Stored } from "../../lib/synced";
import { CATEGORIES, isAbout, withCategory } from "./categories";
import { untaken } from "./ids";
import { SEVERITIES } from "./threshold-form";

// An answer has every member; the document marks those that a request may leave out.
type Whole<Part> = Part extends readonly unknown[] ? Part : Part extends object ? { [Name in keyof Part]-?: Whole<NonNullable<Part[Name]>> } : Part;
export type Notifications = Whole<NonNullable<Stored["notifications"]>>;
export type Channel = Notifications["channels"][number];

const KINDS = [["webhook", "webhook"], ["email", "e-mail"], ["apprise", "push, SMS, other (Apprise)"]] as const;
const EXAMPLES: Readonly<Record<string, string>> = {
  webhook: "https://example.org/hook",
  email: "mailtos://user:password@example.org?to=me@example.org",
  apprise: "ntfy://topic, tgram://bot/chat, twilio://…",
};

export function ChannelItem({ channel, onChange, onTest }: {
  readonly channel: Channel;
  readonly onChange: (next: Channel | undefined) => Promise<boolean>;
  readonly onTest: () => Promise<boolean>;
}) {
  const [isTesting, setTesting] = useState(false);
  return (
    <li className="flex flex-wrap items-end gap-x-4 gap-y-2 py-3">
      <span className="min-w-0 flex-1 basis-48 self-center">
        <span className="block font-medium">{channel.id}</span>
        <span className="block truncate text-sm text-soft">{KINDS.find(([kind]) => kind === channel.type)?.[1]}</span>
      </span>
      <div className="w-40">
        <Select label="From" value={channel.min_severity} onChange={(event) => void onChange({ ...channel, min_severity: event.target.value as Channel["min_severity"] })} options={SEVERITIES} />
      </div>
      <Toggle label="On" checked={channel.enabled ?? true} onChange={(enabled) => onChange({ ...channel, enabled })} />
      <Button
        disabled={isTesting}
        onClick={() => {
          setTesting(true);
          void onTest().finally(() => setTesting(false));
        }}
      >
        <Send aria-hidden="true" className="size-4" /> {isTesting ? "Sending…" : "Send a test"}
      </Button>
      <Button tone="quiet" aria-label={`Delete ${channel.id}`} onClick={() => void onChange(undefined)}>
        <Trash2 aria-hidden="true" className="size-4" />
      </Button>
      <fieldset className="flex basis-full flex-wrap gap-x-5 text-sm">
        <legend className="text-soft">About</legend>
        {CATEGORIES.map((each) => (
          <Toggle
            key={each}
            label={each}
            checked={isAbout(channel.categories, each)}
            onChange={(on) => onChange({ ...channel, categories: withCategory(channel.categories, each, on) } as Channel)}
          />
        ))}
      </fieldset>
    </li>
  );
}

export function NewChannel({ taken, onAdd }: { taken: ReadonlySet<string>; onAdd: (channel: Channel) => Promise<boolean> }) {
  const [kind, setKind] = useState<string>("webhook");
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    const id = untaken(text("id").toLowerCase().replace(/[^a-z0-9_.-]+/g, "-").replace(/^[^a-z]+/, "") || kind, taken);
    const channel = { id, type: kind, url: text("url"), secret: text("secret") || null, enabled: true, min_severity: text("severity"), categories: null };
    void onAdd(channel as unknown as Channel).then((done) => done && form.reset());
  };
  return (
    <form aria-label="A new channel" onSubmit={add} className="card space-y-4 p-5">
      <h2 className="font-semibold">A new channel</h2>
      <div className="flex flex-wrap gap-3">
        <Select label="Kind" name="type" value={kind} onChange={(event) => setKind(event.target.value)} options={KINDS} />
        <Field label="Name (if you like)" name="id" maxLength={40} placeholder={kind} />
        <Select label="From" name="severity" defaultValue="medium" options={SEVERITIES} />
      </div>
      <div className="flex flex-wrap gap-3">
        <Field label="Address" name="url" required minLength={4} placeholder={EXAMPLES[kind]} spellCheck={false} />
        {kind === "webhook" && <Field label="Secret that signs it (if you like)" name="secret" maxLength={200} autoComplete="off" />}
      </div>
      <Button type="submit" tone="accent">Add it</Button>
    </form>
  );
}
