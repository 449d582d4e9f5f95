"""Operations, as the desk holds them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from paydesk.billing.inbox.letters import Letters
from paydesk.billing.operations.backlog import Backlog
from paydesk.billing.operations.books import Books
from paydesk.billing.operations.health import Checkup
from paydesk.billing.operations.income import Income
from paydesk.billing.operations.tracing import spans

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from paydesk.billing.operations.metrics import Metrics
    from paydesk.billing.store.store import Store
    from paydesk.billing.watch import Watch


class Operations:
    """Everything that can be asked about how the app is."""

    def __init__(
        self,
        store: Store,
        watch: Watch,
        *,
        late_after_seconds: int,
        is_measured: bool,
        livemode: bool,
        now: Callable[[], datetime],
    ) -> None:
        """`is_measured`: count and time what this process does from now on, and not only when somebody asks."""
        self.backlog = Backlog(store, now)
        self.letters = Letters(store, now)
        self.books = Books(store, livemode=livemode)
        self.income = Income(store, livemode=livemode, now=now)
        self.now = now
        self.checkup = Checkup(store, self.backlog, late_after_seconds=late_after_seconds)
        self._watch = watch
        self._metrics: Metrics | None = None
        self._making = threading.Lock()
        watch.add(spans)
        if is_measured:
            self.metrics()

    def metrics(self) -> Metrics:
        """The metrics of this process. Raises ImportError where prometheus-client is not installed."""
        with self._making:
            if self._metrics is None:
                from paydesk.billing.operations.metrics import Metrics

                self._metrics = Metrics(self.backlog, self._watch)
            return self._metrics
