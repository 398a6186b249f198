// KPIs: figures worked out by the service, with what they should be.
import { useQuery } from "@tanstack/react-query";
import { Pencil, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { Link } from "wouter";
import { attempt, save, send } from "../../api/changes";
import { request } from "../../api/client";
import type { Schemas } from "../../api/client";
import { Button, Failed, Skeleton } from "../../components/parts";
import { Stale } from "../../components/stale";
import { trendsLink } from "../../lib/links";
import { usePreferences } from "../../lib/preferences";
import { shownText } from "../../lib/units";
import { untaken } from "./ids";
import { KpiForm } from "./kpi-form";
import type { Kpi, WantedKpi } from "./kpi-form";

const PATH = "/api/analytics/kpis";

export default function Kpis() {
  const { data, error, refetch } = useQuery({ queryKey: ["kpis"], queryFn: () => request<Schemas["KpisResponse"]>(PATH), refetchInterval: 60_000 });
  if (data === undefined) return error === null ? <Skeleton className="h-64 rounded-2xl" /> : <Failed error={error} again={() => void refetch()} />;
  return (
    <div className="space-y-4">
      <section aria-label="Figures" className="card px-5 py-2">
        <ul className="divide-y">
          {data.kpis.map((kpi) => (
            <Item key={kpi.id} kpi={kpi} />
          ))}
        </ul>
      </section>
      <NewKpi taken={new Set(data.kpis.map(({ id }) => id))} />
    </div>
  );
}

function Item({ kpi }: { kpi: Kpi }) {
  const wanted = usePreferences();
  const unit = kpi.unit === "" ? null : kpi.unit;
  const target = [
    kpi.target_low === null ? "" : `at least ${shownText(kpi.target_low, unit, wanted)}`,
    kpi.target_high === null ? "" : `at most ${shownText(kpi.target_high, unit, wanted)}`,
  ].filter(Boolean);
  const [edited, setEdited] = useState<Kpi | undefined>(); // as it was when editing began
  const [isStale, setStale] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  /** Back to where editing began, for who is there by keyboard. */
  const leave = () => {
    setEdited(undefined);
    pencil.current?.focus();
  };
  const change = async (body: WantedKpi) => {
    const outcome = await save(() => send("PUT", `${PATH}/${kpi.id}`, body, edited?.etag ?? undefined), ["kpis"]);
    setStale(outcome === "stale");
    if (outcome === "done") leave();
  };
  return (
    <li className="py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
      <div className="min-w-0 flex-1 basis-full sm:basis-52">
        <p className="font-medium">{kpi.name}</p>
        <p className="text-sm text-soft">{kpi.description ?? kpi.expression}</p>
        {target.length > 0 && (
          <p className={`text-sm ${kpi.target_met === false ? "text-warning" : "text-soft"}`}>
            should be {target.join(" and ")}{kpi.target_met === false && ": it is not"}
          </p>
        )}
      </div>
      <Link href={trendsLink({ metrics: [kpi.metric], from: -30 * 86_400 })} className="rounded-lg px-2 py-1 text-lg font-semibold tabular-nums hover:bg-raised">
        {kpi.value === null ? "not known yet" : shownText(kpi.value, unit, wanted)}
      </Link>
      <Button ref={pencil} tone="quiet" aria-label={`Change ${kpi.name}`} aria-expanded={edited !== undefined} onClick={() => { setStale(false); setEdited(edited === undefined ? kpi : undefined); }}>
        <Pencil aria-hidden="true" className="size-4" />
      </Button>
      {kpi.etag !== null && (
        <Button tone="quiet" aria-label={`Delete ${kpi.name}`} onClick={() => void attempt(() => send("DELETE", `${PATH}/${kpi.id}`), ["kpis"])}>
          <Trash2 aria-hidden="true" className="size-4" />
        </Button>
      )}
      </div>
      {edited !== undefined && (
        <div className="my-3 rounded-xl border p-4">
          {isStale && <Stale what="this figure" onReload={() => { setStale(false); setEdited(kpi); }} />}
          <KpiForm key={edited.etag} label={`Change ${kpi.name}`} known={edited} onSubmit={(body) => void change(body)}>
            <Button type="submit" tone="accent">Save</Button>
            <Button tone="quiet" onClick={leave}>Leave it</Button>
          </KpiForm>
        </div>
      )}
    </li>
  );
}

function NewKpi({ taken }: { taken: ReadonlySet<string> }) {
  const create = (body: WantedKpi, form: HTMLFormElement) => {
    const id = untaken(body.name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+/, "").slice(0, 60) || "figure", taken);
    void attempt(() => send("POST", PATH, { id, ...body }), ["kpis"]).then((done) => done && form.reset());
  };
  return (
    <section aria-label="A new figure" className="card space-y-4 p-5">
      <h2 className="font-semibold">A new figure</h2>
      <KpiForm label="A new figure" onSubmit={create}>
        <Button type="submit" tone="accent">Add it</Button>
      </KpiForm>
    </section>
  );
}
