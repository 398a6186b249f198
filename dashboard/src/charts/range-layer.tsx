// What lies under a line: the marks of its axis, limits, the band in which its values were to be expected, and the
// envelope of what each point sums up. One drawing of our own, as for what is marked over it (marks-layer.tsx): as
// components of Recharts each would be laid out anew at every zoom.
import { memo } from "react";
import { scales } from "./plot";
import type { Plot } from "./plot";
import { rangePath } from "./rows";
import type { Row } from "./rows";

interface RangeLayerProps extends Plot {
  readonly rows: readonly Row[];
  readonly marks: readonly number[];
  readonly limits: readonly (number | null)[];
  readonly colour: string;
}

export const RangeLayer = memo(function RangeLayer(props: RangeLayerProps) {
  const { rows, domain, marks, limits, colour, left, top, width, height } = props;
  if (width <= 0 || height <= 0) return null;
  const { x, y } = scales(props);
  return (
    <svg aria-hidden="true" className="pointer-events-none absolute" style={{ left, top }} width={width} height={height}>
      <path d={marks.map((mark) => `M0,${y(mark).toFixed(1)}H${width}`).join("")} stroke="var(--line)" />
      {limits.map(
        (limit, index) =>
          limit !== null &&
          limit >= domain[0] &&
          limit <= domain[1] && <path key={index} d={`M0,${y(limit).toFixed(1)}H${width}`} stroke="var(--warning)" strokeDasharray="5 4" data-limit={limit} />,
      )}
      <path d={rangePath(rows, "band", x, y)} fill="var(--soft)" fillOpacity={0.09} data-range="band" />
      <path d={rangePath(rows, "envelope", x, y)} fill={colour} fillOpacity={0.24} data-range="envelope" />
    </svg>
  );
});
