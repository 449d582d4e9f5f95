"""Who runs: greenlets that pass one baton, so that exactly one of them moves at a time and the seed says which."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import greenlet


class Crash(BaseException):
    """The machine this ran on is gone. No code of ours may survive it."""


@dataclass(eq=False)
class Machine:
    """What a crash takes away at once."""

    name: str
    is_dead: bool = False


@dataclass(eq=False)
class Actor:
    """Something under way: it runs until it pauses, and goes on when it is handed the baton again."""

    name: str
    machine: Machine | None
    greenlet: Any = field(init=False)
    is_over: bool = False
    # When it goes on, in the universe's time, if something keeps it, and how often others go on before.
    wakes_at: float = 0.0
    sleeps_for: int = 0


class Baton:
    """Hands the turn from actor to actor."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []
        self._by_greenlet: dict[Any, Actor] = {}
        self._conductor: Any = None

    def start(self, name: str, run: Callable[[], object], machine: Machine | None = None) -> Actor:
        """Let something begin; it does not move before its first turn."""
        actor = Actor(name, machine)
        actor.greenlet = greenlet.greenlet(lambda: self._live(actor, run))
        self.actors.append(actor)
        return actor

    def move(self, actor: Actor) -> None:
        """Let an actor run until it pauses or is over. What it raises, but for a crash, is raised here."""
        self._conductor = greenlet.getcurrent()
        self._by_greenlet[actor.greenlet] = actor
        try:
            actor.greenlet.switch()
        finally:
            if actor.greenlet.dead:
                actor.is_over = True
                self.actors.remove(actor)
                del self._by_greenlet[actor.greenlet]

    def pause(self) -> None:
        """Between two steps of an actor: somebody else may move, and the machine may die. Others just go on."""
        actor = self.current()
        if actor is None:
            return
        if actor.machine is not None and actor.machine.is_dead:
            raise Crash
        self._conductor.switch()
        if actor.machine is not None and actor.machine.is_dead:
            raise Crash

    def current(self) -> Actor | None:
        """Who has the baton, if it is somebody."""
        return self._by_greenlet.get(greenlet.getcurrent())

    def _live(self, actor: Actor, run: Callable[[], object]) -> None:
        if actor.machine is not None and actor.machine.is_dead:
            return
        with suppress(Crash):
            run()
