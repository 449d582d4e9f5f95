"""Test clocks: a time of their own for up to three customers, which stands still until it is advanced.

An advance is answered at once and played in the background: whatever is due on the way
happens in order, each thing at its own time, and then the clock is `ready`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import timelines
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.resources.subscription_shape import ENDED
from paydesk.emulator.rules.spans import of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from paydesk.emulator.kernel.world import World

TEST_CLOCK: Final = Kind("test_helpers.test_clock", "clock_", missing="No such test clock: '%s'")

KEPT_SECONDS: Final = 30 * 24 * 3600
CUSTOMERS_MAX: Final = 3
SUBSCRIPTIONS_MAX: Final = 3
INTERVALS_MAX: Final = 2
# In 2286: whoever tests further ahead has meant milliseconds.
LATEST: Final = 9_999_999_999
_WITHOUT_SUBSCRIPTIONS: Final = of(years=2)
_EXPIRE: Final = "test_helpers.test_clock.expire"


def take_in(world: World, identifier: str) -> str:
    """Make room on a clock for a new customer, and go on in its time. Gives back the clock's id.

    Raises:
        StripeError: 400 where there is no such clock, or no room.
    """
    clock = world.get(TEST_CLOCK.name, identifier, param="test_clock")
    world.enter(clock.id)
    if len(_customers(world, clock)) >= CUSTOMERS_MAX:
        raise invalid(f"{clock.id} is full: a test clock has room for {CUSTOMERS_MAX} customers.", param="test_clock")
    return clock.id


def check_room(world: World, customer: Document) -> None:
    """Refuse a further subscription where the customer lives on a clock and has all that it has room for."""
    if customer["test_clock"] is not None and len(_live(world, customer)) >= SUBSCRIPTIONS_MAX:
        raise invalid(
            f"A customer on a test clock can have {SUBSCRIPTIONS_MAX} subscriptions, and {customer.id} has them.",
            param="customer",
        )


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    if world.livemode:
        raise invalid("Test clocks are there in test mode only.")
    _check(given["frozen_time"])
    clock = Document(
        {
            "id": world.mint("clock_"),
            "object": "test_helpers.test_clock",
            "created": world.wall,
            "deletes_after": world.wall + KEPT_SECONDS,
            "frozen_time": given["frozen_time"],
            "livemode": world.livemode,
            "name": given.get("name"),
            "status": "ready",
            "status_details": {},
        }
    )
    timelines.begin(world, clock.id, clock["frozen_time"])
    world.schedule(clock["deletes_after"], _EXPIRE, clock.id, by_wall=True)
    world.add(clock, "test_helpers.test_clock.created")
    if given.get("customer"):
        _attach(world, clock, world.get("customer", given["customer"], param="customer"))
    return clock


def _check(frozen_time: int) -> None:
    if not 0 <= frozen_time <= LATEST:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp", param="frozen_time")


def _attach(world: World, clock: Document, customer: Document) -> None:
    if customer["test_clock"] is not None:
        raise invalid(f"{customer.id} is on the test clock {customer['test_clock']} already.", param="customer")
    if _live(world, customer) or any(
        invoice["status"] in ("draft", "open") for invoice in world.having("invoice", "customer", customer.id)
    ):
        raise invalid(
            f"{customer.id} has subscriptions or invoices under way, which the local Stripe cannot move onto a test "
            "clock: attach the customer first.",
            param="customer",
        )
    world.enter(clock.id)
    customer["test_clock"] = clock.id
    world.save(customer, "customer.updated")


def _advance(call: Call) -> Document:
    world, target = call.world, call.params["frozen_time"]
    clock = world.get(TEST_CLOCK.name, call.path["test_clock"])
    if clock["status"] == "advancing":
        raise timelines.Underway(clock.id)
    if clock["status"] != "ready":
        raise invalid(f"{clock.id} cannot be advanced any more: it has had an internal failure. Delete it.")
    _check(target)
    if target <= clock["frozen_time"]:
        raise invalid(
            f"A test clock goes forward only: frozen_time must be after {clock['frozen_time']}.", param="frozen_time"
        )
    if target > _farthest(world, clock):
        raise invalid(
            "A test clock can be advanced by two intervals of its shortest subscription at once, or by two years when "
            f"it has none: by now, to {_farthest(world, clock)} at most.",
            param="frozen_time",
        )
    clock["status"] = "advancing"
    clock["status_details"] = {"advancing": {"target_frozen_time": target}}
    world.save(clock)
    world.emit("test_helpers.test_clock.advancing", clock)
    timelines.set_out(world, clock.id, target)
    return clock


def _farthest(world: World, clock: Document) -> int:
    """Where a clock may be advanced to at once."""
    intervals = [
        item["price"]["recurring"]
        for customer in _customers(world, clock)
        for subscription in _live(world, customer)
        for item in subscription["items"]["data"]
    ]
    spans = [of(**{f"{one['interval']}s": one["interval_count"] * INTERVALS_MAX}) for one in intervals]
    return min(span.after(clock["frozen_time"]) for span in spans or [_WITHOUT_SUBSCRIPTIONS])


def _arrived(world: World, subject: str) -> None:
    _stand(world, subject, "ready")


def _broke(world: World, subject: str) -> None:
    _stand(world, subject, "internal_failure")


def _stand(world: World, identifier: str, status: str) -> None:
    clock = world.get(TEST_CLOCK.name, identifier)
    clock["frozen_time"] = world.now
    clock["status"] = status
    clock["status_details"] = {}
    world.save(clock)
    world.emit(f"test_helpers.test_clock.{status}", clock)


def _delete(call: Call) -> dict[str, Any]:
    return _end(call.world, call.world.get(TEST_CLOCK.name, call.path["test_clock"]))


def _expire(world: World, subject: str) -> None:
    _end(world, world.get(TEST_CLOCK.name, subject))


def _end(world: World, clock: Document) -> dict[str, Any]:
    """Delete a clock with its customers. Only of the clock itself is told."""
    world.enter(clock.id)
    for customer in _customers(world, clock):
        for subscription in _live(world, customer):
            subscription.update(canceled_at=world.now, ended_at=world.now, status="canceled")
            world.save(subscription)
        for schedule in world.having("subscription_schedule", "customer", customer.id):
            if schedule["status"] in ("active", "not_started"):
                schedule.update(canceled_at=world.now, current_phase=None, status="canceled")
                world.save(schedule)
        for method in world.having("payment_method", "customer", customer.id):
            method["customer"] = None
            world.save(method)
        for card in world.having("card", "customer", customer.id):
            world.delete(card)
        world.delete(customer)
    world.unschedule(_EXPIRE, clock.id)
    timelines.end(world, clock.id)
    return world.delete(clock, "test_helpers.test_clock.deleted")


def _customers(world: World, clock: Document) -> list[Document]:
    return list(world.having("customer", "test_clock", clock.id))


def _live(world: World, customer: Document) -> list[Document]:
    subscriptions: Iterable[Document] = world.having("subscription", "customer", customer.id)
    return [subscription for subscription in subscriptions if subscription["status"] not in ENDED]


_ONE: Final = "/v1/test_helpers/test_clocks/{test_clock}"

KINDS = (TEST_CLOCK,)
ROUTES = (
    Route(
        "POST", "/v1/test_helpers/test_clocks", _create, uses=words("customer frozen_time name"), area=TEST_CLOCK.area
    ),
    retrieve(_ONE, TEST_CLOCK),
    Route("POST", f"{_ONE}/advance", _advance, uses=words("frozen_time"), area=TEST_CLOCK.area),
    Route("DELETE", _ONE, _delete, area=TEST_CLOCK.area),
    listing("/v1/test_helpers/test_clocks", TEST_CLOCK),
)
TASKS: dict[str, Any] = {timelines.ARRIVED: _arrived, timelines.BROKE: _broke, _EXPIRE: _expire}
