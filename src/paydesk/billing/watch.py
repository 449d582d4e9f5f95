"""Watching: what the library is doing, told to whoever counts, times or traces it.

    with watch.during("call", method="GET", path="/v1/prices") as act:
        act.outcome = "ok"

It is told when a webhook is received, lanes are applied, Stripe is called, or an effect is run. A watcher hears of each
as it begins, and gives back what is to be called when it has ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from paydesk.billing.log import get_logger

if TYPE_CHECKING:
    from types import TracebackType

logger = get_logger(__name__)

Kind = Literal["receive", "apply", "call", "effect"]


class Act:
    """Something that is being done. `about` may be added to, and `outcome` and `error` set, until it has ended.

    An exception that leaves the act is its error, and makes its outcome "failed" unless another one was named.
    """

    __slots__ = ("_begun", "_ends", "_watchers", "about", "error", "kind", "outcome", "seconds")

    def __init__(self, kind: Kind, about: dict[str, Any], watchers: tuple[Watcher, ...]) -> None:
        self.kind = kind
        self.about = about
        self.outcome = ""
        self.error: BaseException | None = None
        self.seconds = 0.0
        self._watchers = watchers

    def __enter__(self) -> Act:
        self._ends = [end for each in self._watchers if (end := _unharmed(each, self)) is not None]
        self._begun = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._begun
        if error is not None:
            self.error = error
            self.outcome = self.outcome or "failed"
        for end in reversed(self._ends):
            _unharmed(end)


End = Callable[[], object]
Watcher = Callable[[Act], End | None]


class Watch:
    """Whoever watches one desk."""

    def __init__(self) -> None:
        self._watchers: tuple[Watcher, ...] = ()

    def add(self, watcher: Watcher) -> None:
        """Let it hear of everything that begins from now on."""
        if watcher not in self._watchers:
            self._watchers = (*self._watchers, watcher)

    def during(self, kind: Kind, **about: Any) -> Act:
        """Tell of what is done in this block."""
        return Act(kind, about, self._watchers)


def _unharmed(told: Callable[..., Any], *about: object) -> Any:
    """Call a watcher. Nobody is paid less because it stumbles."""
    try:
        return told(*about)
    except Exception:
        logger.exception("A watcher stumbled")
        return None
