"""The prices that subscriptions show: each as it is now, whatever it was called when somebody subscribed to it.

A price changes seldom, and is read with every subscription: so it is written anew wherever it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import from_text, to_text
from paydesk.emulator.rules import pricing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from paydesk.emulator.kernel.world import World

_Body = dict[str, Any]


def show(world: World, subject: str) -> None:
    """Let items, and the subscriptions that embed them, show a price as it is; nobody is told of that."""
    price = world.get("price", subject)
    if price["recurring"] is None:
        return
    now = {"plan": dict(pricing.as_plan(price)), "price": dict(price)}
    sold = {item.id: item["subscription"] for item in world.having("subscription_item", "price.id", subject)}

    def shown(subscription: _Body) -> _Body:
        held = [item | now if item["id"] in sold else item for item in subscription["items"]["data"]]
        plan = {"plan": held[0]["plan"]} if "plan" in subscription else {}
        return subscription | {"items": subscription["items"] | {"data": held}} | plan

    _rewrite(world, "subscription_item", sold, lambda item: item | now)
    _rewrite(world, "subscription", set(sold.values()), shown)


def _rewrite(world: World, kind: str, identifiers: Iterable[str], change: Callable[[_Body], _Body]) -> None:
    """Write objects as they are to be shown: that is no change of theirs, and waits for no test clock."""
    for identifier in sorted(identifiers):
        text = world.text(kind, identifier)
        if text is not None:
            world.db.execute(
                "UPDATE objects SET body = ? WHERE kind = ? AND id = ? AND sandbox = ?",
                (to_text(change(from_text(text))), kind, identifier, world.sandbox.number),
            )
