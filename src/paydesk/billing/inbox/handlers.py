"""Handlers: the app's own functions, and which facts and events each is for."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.billing.facts import FACTS, Fact
from paydesk.errors import HandlerRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk.billing.store.orm import Orm

Topic = type[Fact] | str


@dataclass(frozen=True)
class Handler:
    """One function of the app. Its name is how its effects are found again after a restart, so it must stay.

    With an `orm`, it runs in a transaction of the app's own ORM, which also marks its effect done.
    """

    name: str
    topic: Topic
    function: Callable[..., Any]
    wants_db: bool
    is_coroutine: bool
    orm: Orm | None = None


class Handlers:
    """Every handler of one desk."""

    def __init__(self) -> None:
        self._by_name: dict[str, Handler] = {}
        self._by_topic: dict[Topic, list[Handler]] = {}

    def add(
        self, topic: Topic, function: Callable[..., Any], *, name: str | None = None, orm: Orm | None = None
    ) -> None:
        """Register a function for a fact, or for events of one of Stripe's types.

        It is found again by its own name, unless it is given one. Raises HandlerRefused if it cannot be called, or
        found again, as it would have to be.
        """
        handler = _described(topic, function, name or _name_of(function), orm)
        if handler.name in self._by_name:
            raise HandlerRefused(handler.name, "there is one of that name already. Give one of them another name")
        self._by_name[handler.name] = handler
        self._by_topic.setdefault(topic, []).append(handler)

    def of(self, topic: Topic) -> list[Handler]:
        """The handlers for a fact's class or an event's type, in the order they were registered."""
        return self._by_topic.get(topic, [])

    def named(self, name: str) -> Handler:
        return self._by_name[name]

    @property
    def topics(self) -> dict[str, str]:
        """Each handler's name, and its topic as the database writes it."""
        return {name: topic_key(handler.topic) for name, handler in self._by_name.items()}

    @property
    def names(self) -> list[str]:
        return list(self._by_name)


def topic_key(topic: Topic) -> str:
    """A topic as the database writes it: `fact:order.paid`, or `event:` and Stripe's type."""
    return f"event:{topic}" if isinstance(topic, str) else f"fact:{topic.type}"


def _name_of(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"


def _described(topic: Topic, function: Callable[..., Any], name: str, orm: Orm | None) -> Handler:
    if not (topic in FACTS or (isinstance(topic, str) and "." in topic)):
        raise HandlerRefused(
            name, f"{topic!r} is neither a fact such as OrderPaid nor a type of event such as 'invoice.payment_failed'"
        )
    if "<lambda>" in name:
        raise HandlerRefused(name, "a lambda has no name to be found by after a restart. Write a function")
    parameters = list(inspect.signature(function).parameters.values())
    required = [parameter for parameter in parameters if parameter.default is inspect.Parameter.empty]
    wants_db = any(parameter.name == "db" for parameter in parameters[1:])
    if not parameters or len(required) > 1 + wants_db:
        raise HandlerRefused(name, "it must take the fact or event, and beside it nothing but db")
    is_coroutine = inspect.iscoroutinefunction(function)
    if is_coroutine and wants_db:
        raise HandlerRefused(name, "db belongs to the worker's thread and cannot be awaited around. Use def")
    # A handler with db writes through that; a coroutine has no thread that a transaction could belong to.
    return Handler(name, topic, function, wants_db, is_coroutine, None if wants_db or is_coroutine else orm)
