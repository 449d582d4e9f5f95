"""`./run bench [NAMES]`: run the named benchmarks, or all of them."""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = ("local_stripe", "long_lists", "start_up", "receive", "applied", "scaling", "renewals", "gates", "testing")


def main(names: list[str]) -> None:
    """Run them one after the other; each prints its own table."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"No benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    for name in names or BENCHMARKS:
        importlib.import_module(f"bench.{name}").main()


main(sys.argv[1:])
