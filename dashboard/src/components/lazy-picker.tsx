// The picker of metrics, fetched when it is first needed.
import { Suspense } from "react";
import type { ComponentProps } from "react";
import { lazyPart } from "../lib/lazy-part";
import type { MetricPicker } from "./metric-picker";
import { Skeleton } from "./parts";

const Picker = lazyPart(async () => ({ default: (await import("./metric-picker")).MetricPicker }));

export function MetricPickerLazy(props: ComponentProps<typeof MetricPicker>) {
  return (
    <Suspense fallback={<Skeleton className="h-11 w-32" />}>
      <Picker {...props} />
    </Suspense>
  );
}
