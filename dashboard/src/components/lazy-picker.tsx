// The picker of metrics, fetched when it is first needed.
import { lazy, Suspense } from "react";
import type { ComponentProps } from "react";
import type { MetricPicker } from "./metric-picker";
import { Skeleton } from "./parts";

const Picker = lazy(() => import("./metric-picker").then((module) => ({ default: module.MetricPicker })));

export function MetricPickerLazy(props: ComponentProps<typeof MetricPicker>) {
  return (
    <Suspense fallback={<Skeleton className="h-11 w-32" />}>
      <Picker {...props} />
    </Suspense>
  );
}
