"""Operations, as the desk holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.inbox.letters import Letters
from paydesk.billing.operations.backlog import Backlog
from paydesk.billing.operations.health import Checkup

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from paydesk.billing.store.store import Store


class Operations:
    """Everything that can be asked about how the app is."""

    def __init__(self, store: Store, *, late_after_seconds: int, now: Callable[[], datetime]) -> None:
        self.backlog = Backlog(store, now)
        self.letters = Letters(store, now)
        self.checkup = Checkup(store, self.backlog, late_after_seconds=late_after_seconds)
