"""The recorded bus (1,121 samples/s, 394 series): at its real speed in 100 ms batches, and as fast as it goes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from service_process import service

RECORDING = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "n2k_motoryacht_70s.csv.gz"


def main() -> int:
    if not RECORDING.exists():
        print(f"missing: {RECORDING.name} in ../shared/data")
        return 1
    for label, speed in (("real speed", "1"), ("as fast as it goes", "0")):
        with service(PERSISTENCE="true", DB_PATH="bench.db") as started:
            time.sleep(2)
            cpu_s, begun = started.cpu_s(), time.monotonic()
            replay = [sys.executable, "-m", "gateway", "replay", str(RECORDING)]
            done = subprocess.run(
                [*replay, "--url", f"http://127.0.0.1:{started.port}", "--speed", speed],
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
            took = time.monotonic() - begun
            print(f"{label}: {done.stdout.strip()}")
            print(f"{label}: took = {took:.1f} s, service CPU = {(started.cpu_s() - cpu_s) / took:.1%} of a core")
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
