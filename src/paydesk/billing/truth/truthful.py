"""What a desk offers about its own truth: to fetch what it missed, and to prove itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from paydesk.billing.truth.kinds import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from paydesk.billing.inbox.prune import Pruned
    from paydesk.billing.truth.reports import Report
    from paydesk.billing.truth.truth import Synced, Truth
    from paydesk.billing.truth.verify import OnStep, Verified
    from paydesk.billing.truth.walks import Walk


class Truthful(ABC):
    """A desk that can be asked whether it is true."""

    _truth: Truth

    @abstractmethod
    def open(self) -> None:
        """Make ready for use."""

    def sync(
        self,
        *,
        days: int | None = None,
        tables: Iterable[str] = NAMES,
        on_step: Callable[[Walk], None] = lambda _: None,
    ) -> Synced:
        """Fetch from Stripe what never arrived here, and bring the mirror in line.

        Events are looked for since the last time, or through the last `days`, of which Stripe keeps thirty; a worker
        does that every few minutes by itself. Then all that Stripe lists is held against these `tables`, and what is
        not so is read again. Handlers are run by whoever has them; of what was before this app, nobody is told.
        `on_step` hears how far it has come. Raises StripeUnavailable, StripeRefused or AnotherIsAtIt; what was done by
        then is done, and the next call goes on from there.
        """
        self.open()
        return self._truth.sync(days=days, tables=tables, on_step=on_step)

    def verify(
        self,
        *,
        repair: bool = False,
        since: datetime | None = None,
        tables: Iterable[str] = NAMES,
        on_step: OnStep = lambda *_: None,
    ) -> Verified:
        """Hold every mirrored row against Stripe, and orders against the money they are for.

        The answer's `is_true` says it in a word, its `drifts` and `findings` in detail. With `repair`, what is not so
        is read again as if a webhook had told of it, and looked at again. `since` and `tables` bound what is looked
        at. Raises StripeUnavailable or StripeRefused.
        """
        self.open()
        return self._truth.verify(repair=repair, since=since, tables=tables, on_step=on_step)

    def read_again(self, table: str, key: object) -> bool:
        """Read what one row of a mirrored table is about from Stripe, and apply it as a webhook would.

        `key` is the row's `id`. Answers False where Stripe has nothing for it yet, or a worker kept it busy for too
        long. Raises StripeUnavailable, StripeRefused or ValueError.
        """
        self.open()
        return self._truth.read_again(table, key)

    def report(self) -> Report | None:
        """What the last `verify` of the whole mirror found, in whichever process; or how far one under way has come."""
        self.open()
        return self._truth.reports.last()

    def prune(self, days: int) -> Pruned:
        """Forget events, effects and idempotency keys that have been done for so many days: 35 at least.

        What is unfinished or given up stays, and so do the mirror, orders and facts. A worker does it by itself where
        PAYDESK_KEEP_DAYS is set. Raises ValueError.
        """
        self.open()
        return self._truth.prune(days)
