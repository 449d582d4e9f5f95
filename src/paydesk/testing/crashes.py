"""Crashes: the app's process dies at a point where it hurts, and what was committed by then is all that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from paydesk.testing.inside import inbox_of
from paydesk.testing.misuse import Misused

if TYPE_CHECKING:
    from paydesk import Paydesk
    from paydesk.testing.line import Line


class Crash(BaseException):
    """The process is gone. It goes through the app's code as nothing that code could catch."""


@contextmanager
def crashing(desk: Paydesk, line: Line, before: str, after: str, request: str) -> Iterator[list[str]]:
    """Let the process die once, between the two; what was reached is in the list."""
    points = {
        ("receive", "apply"): lambda strike: _after_receiving(desk, strike),
        ("apply", "effect"): lambda strike: _before_the_effect(desk, strike),
        ("effect", "commit"): lambda strike: _after_the_effect(desk, strike),
        ("call", "commit"): lambda strike: _after_the_call(line, request, strike),
    }
    if (before, after) not in points:
        choices = ", ".join(f'crash_between("{first}", "{second}")' for first, second in points)
        raise Misused(f"Nothing crashes between {before!r} and {after!r}. There is: {choices}.")
    if request and (before, after) != ("call", "commit"):
        raise Misused('Only crash_between("call", "commit") is about a request to Stripe.')
    struck: list[str] = []

    def strike(where: str) -> None:
        if not struck:
            struck.append(where)
            raise Crash(f"The process died between {before} and {after}: {where}.")

    with points[before, after](strike):
        yield struck


Strike = Callable[[str], None]


@contextmanager
def _after_receiving(desk: Paydesk, strike: Strike) -> Iterator[None]:
    """The event is on disk, and Stripe has not been answered."""
    receive, receive_async = desk.receive, desk.receive_async

    def dying(body: bytes, header: str | None) -> Any:
        receipt = receive(body, header)
        strike(f"{receipt.event_id} was kept, and not yet answered")
        return receipt

    async def dying_async(body: bytes, header: str | None) -> Any:
        receipt = await receive_async(body, header)
        strike(f"{receipt.event_id} was kept, and not yet answered")
        return receipt

    with _replaced(desk, receive=dying, receive_async=dying_async):
        yield


@contextmanager
def _before_the_effect(desk: Paydesk, strike: Strike) -> Iterator[None]:
    """What happened is in the mirror, the handler is claimed, and has not begun."""
    effects = inbox_of(desk).effects
    claim = effects.claim

    def dying() -> Any:
        claimed = claim()
        if claimed is not None:
            strike(f"{claimed['handler']} was about to run for {claimed['source']}")
        return claimed

    with _replaced(effects, claim=dying):
        yield


@contextmanager
def _after_the_effect(desk: Paydesk, strike: Strike) -> Iterator[None]:
    """The handler has returned, and nothing of it is committed."""
    effects = inbox_of(desk).effects
    done, failed = effects._done, effects._failed  # noqa: SLF001 - a crash has no public name for its place

    def dying(claimed: Any) -> Any:
        strike(f"{claimed['handler']} had returned for {claimed['source']}")
        return done(claimed)

    def not_caught(claimed: Any, error: BaseException) -> None:
        if isinstance(error, Crash):
            raise error
        failed(claimed, error)

    with _replaced(effects, _done=dying, _failed=not_caught):
        yield


@contextmanager
def _after_the_call(line: Line, request: str, strike: Strike) -> Iterator[None]:
    """Stripe has done what it was asked for, and the app has not yet noted it."""
    plain = line.answered

    def dying(asked: str) -> None:
        if not request or fnmatchcase(asked, request):
            strike(f"Stripe had answered {asked}")

    line.answered = dying
    try:
        yield
    finally:
        line.answered = plain


@contextmanager
def _replaced(thing: object, **methods: Any) -> Iterator[None]:
    """Let these methods of one object be others for a while."""
    inside: dict[str, Any] = vars(thing)
    before = {name: inside[name] for name in methods if name in inside}
    inside.update(methods)
    try:
        yield
    finally:
        for name in methods:
            inside.pop(name, None)
        inside.update(before)
