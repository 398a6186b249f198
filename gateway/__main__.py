"""Entry point of `coachiq-analytics` and `python -m gateway`."""

from __future__ import annotations

import os
import sys

from .importing import uncollected

# Read when numpy is loaded: threads for the algebra of big matrices, of which there are none here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

with uncollected():
    from .cli import main as run


def main() -> int:
    """The exit code of the command that sys.argv names."""
    return run(sys.argv[1:], os.environ)


if __name__ == "__main__":
    sys.exit(main())
