"""The algebra of lanes: whatever workers do in whatever order, one of them at most may write."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from paydesk.billing.inbox.lanes import LEASE, Lanes, Lease, LeaseLost
from paydesk.billing.store.migrations import migrate
from paydesk.billing.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

WORKERS = st.integers(0, 1)


class Workers(RuleBasedStateMachine):
    """Two workers, one lane, and a clock. `newest` is the lease that was given last."""

    store: Store
    lanes_so_far = itertools.count()
    leases = Bundle("leases")

    @initialize()
    def begin(self) -> None:
        self.lane = f"lane {next(Workers.lanes_so_far)}"
        self.moment = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        self.workers = [Lanes(self.store, f"worker {number}", lambda: self.moment) for number in range(2)]
        self.newest: Lease | None = None
        self.is_given_back = True
        self.expires_at = self.moment
        self.tokens: list[int] = []

    @rule(target=leases, worker=WORKERS)
    def claim(self, worker: int) -> tuple[int, Lease | None]:
        """A lane is given when nobody has it, and only then."""
        lease = self.workers[worker].claim(self.lane)
        assert (lease is not None) == (self.is_given_back or self.expires_at <= self.moment)
        if lease is not None:
            self.newest, self.is_given_back, self.expires_at = lease, False, self.moment + LEASE
            self.tokens.append(lease.token)
        return worker, lease

    @rule(held=leases)
    def write(self, held: tuple[int, Lease | None]) -> None:
        """Whoever was given the lane last may write under it until it is given back. Nobody else may."""
        worker, lease = held
        if lease is None:
            return
        is_ours = lease == self.newest and not self.is_given_back
        with self.store.write() as connection:
            if is_ours:
                self.workers[worker].hold(connection, lease)
                self.expires_at = self.moment + LEASE
            else:
                with pytest.raises(LeaseLost):
                    self.workers[worker].hold(connection, lease)

    @rule(held=consumes(leases), way=st.sampled_from(["release", "let go"]))
    def give_back(self, held: tuple[int, Lease | None], way: str) -> None:
        """A worker that was only slow gives nothing back that is not its own any more."""
        worker, lease = held
        if lease is None:
            return
        if way == "release":
            with self.store.write() as connection:
                self.workers[worker].release(connection, lease)
        else:
            self.workers[worker].let_go(lease)
        self.workers[worker].forget(lease)
        if lease == self.newest:
            self.is_given_back = True

    @rule(worker=WORKERS)
    def renew(self, worker: int) -> None:
        """A living worker keeps what is its own, and nothing else."""
        self.workers[worker].renew()
        lease = self.workers[worker]._held.get(self.lane)  # noqa: SLF001 - what it believes to have
        is_young = lease is not None and self.moment - lease.taken_at < timedelta(minutes=5)
        if lease == self.newest and is_young and not self.is_given_back:
            self.expires_at = self.moment + LEASE

    @rule(seconds=st.sampled_from([1, 29, 30, 31, 301]))
    def wait(self, seconds: int) -> None:
        self.moment += timedelta(seconds=seconds)

    @invariant()
    def tokens_only_grow(self) -> None:
        assert self.tokens == sorted(set(self.tokens))


def test_one_worker_at_most_may_write(tmp_path: Path) -> None:
    """Claims, writes, renewals, slow workers and time in any order: a lane has one writer, and never none for ever."""
    Workers.store = Store.open(f"sqlite:///{tmp_path / 'lanes.db'}")
    migrate(Workers.store)

    run_state_machine_as_test(
        Workers,
        settings=settings(
            max_examples=80, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )

    Workers.store.close()
