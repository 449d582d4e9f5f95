"""How long a newcomer waits: from starting the process to the first answer, and the memory it then holds."""

from __future__ import annotations

import statistics
import time

from bench.servers import running

ROUNDS = 5


def main() -> None:
    """Start the local Stripe a few times and print the medians, beside Python's own start and its goal."""
    seconds, memory = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with running("paydesk", "stripe", "--port", "0", "--memory") as server:
            server.ask("/v1/customers", {"Authorization": "Bearer sk_test_bench"})
            seconds.append(time.perf_counter() - began)
            memory.append(server.memory_mb())
    print(f"\nStart-up of the local Stripe ({ROUNDS} rounds)")
    print(f"first answer after {statistics.median(seconds):.2f} s (goal 0.50), then {statistics.median(memory):.0f} MB")
