// Somebody else was faster: what is being changed here has been changed elsewhere since it was loaded.
import { Button } from "./parts";

export function Stale({ what, onReload }: { what: string; onReload: () => void }) {
  return (
    <div role="alert" className="mb-3 flex flex-wrap items-center justify-between gap-3 rounded-xl border border-warning px-4 py-2 text-sm">
      <span>
        <span className="font-semibold">Not saved.</span> In another tab, or by somebody else, {what} was changed since you began.
      </span>
      <Button onClick={onReload}>Load what is set now</Button>
    </div>
  );
}
