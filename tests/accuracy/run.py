"""The whole of docs/ACCURACY.md's tables by one command: `tox -e accuracy`, or `python tests/accuracy/run.py`.

Anomalies on NAB beside others' results, null series, periods, forecasts, time to empty, faults of a coach, quiet
coaches, and how often a stated confidence is right. The coaches take six minutes on two cores with
`--workers 2`; `--coaches 0` leaves them out, `--only periods forecasts` takes some of the parts. Judges nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.accuracy import anomalies, calibration, coach_faults, forecasts, periods, time_to


def _nab() -> str:
    if not anomalies.DATA.exists():
        return f"No NAB files at {anomalies.DATA}.\n\n{anomalies.peers_table()}"
    return f"{anomalies.nab_table()}\n\n{anomalies.peers_table()}"


PARTS: dict[str, tuple[str, Callable[[], str]]] = {
    "nab": ("Anomalies: the Numenta Anomaly Benchmark", _nab),
    "nulls": ("Nothing happens: null series", anomalies.null_table),
    "periods": ("Periods, held-out seed", periods.table),
    "forecasts": ("Hourly forecasts, held-out seed", forecasts.table),
    "time_to": ("Time to empty and full, held-out seed", time_to.table),
}


def _coaches(count: int, workers: int) -> str:
    seeds = coach_faults.HELD_OUT[:count]
    faults, lives = coach_faults.measure(seeds, sorted(coach_faults.CASES), quiet=True, workers=workers)
    told = coach_faults.verdicts(faults, lives)
    parts = (coach_faults.fault_table(faults), coach_faults.quiet_table(lives), calibration.table(told))
    plot = ["```", *calibration.plot(told), "```"]
    return "\n".join(line for part in (*parts, plot) for line in (*part, ""))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=(*PARTS, "coaches"), default=[*PARTS, "coaches"])
    parser.add_argument("--coaches", type=int, default=4, help="how many seeds of the held-out set; 0: none")
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    for part in asked.only:
        if part == "coaches":
            if asked.coaches:
                print(f"## Faults of a coach, held-out seeds\n\n{_coaches(asked.coaches, asked.workers)}\n", flush=True)
            continue
        title, table = PARTS[part]
        print(f"## {title}\n\n{table()}\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
