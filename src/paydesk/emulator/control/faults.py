"""`/_local/faults`: bending a sandbox on purpose.

`POST {"fault": "error", "status": 429, "path": "/v1/checkout/*", "times": 2}` arms one,
`GET` lists them, `DELETE` disarms all of them, or with `/{id}` one.
"""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from starlette.routing import Route

from paydesk.emulator.control.door import Fields, answer, fields, gone
from paydesk.emulator.faults import FAULTS
from paydesk.emulator.faults.armory import Order, Target
from paydesk.emulator.faults.fault import ApiFault, DeliveryFault
from paydesk.emulator.kernel.errors import StripeError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door

TIMES_MAX = 1_000_000
SEED_MAX = 2**63 - 1
SECONDS_MAX = 30 * 24 * 3600
# What a whole number may be, by the name of the option that holds it.
BOUNDS = {"status": (400, 599), "copies": (2, 20), "seconds": (0, SECONDS_MAX)}


def routes(door: Door) -> list[Route]:
    async def arm(request: Request) -> Response:
        sandbox = door.sandbox(request)
        order = ordered(await fields(request))
        return answer(door.armory.arm(sandbox, order).shown())

    async def armed(request: Request) -> Response:
        return answer({"faults": [one.shown() for one in door.armory.armed(door.sandbox(request))]})

    async def disarm(request: Request) -> Response:
        sandbox = door.sandbox(request)
        identifier = request.path_params.get("id")
        if identifier is not None and identifier not in {one.id for one in door.armory.armed(sandbox)}:
            raise gone(f"No such fault: '{identifier}'")
        door.armory.disarm(sandbox, identifier)
        return await armed(request)

    return [
        Route("/faults", armed, methods=["GET"]),
        Route("/faults", arm, methods=["POST"]),
        Route("/faults", disarm, methods=["DELETE"]),
        Route("/faults/{id}", disarm, methods=["DELETE"]),
    ]


def read(text: str) -> Order:
    """A standing fault as `--fault` names it: `drop=0.05`, or with options `error=0.1,status=429,path=/v1/refunds*`.

    Raises:
        ValueError: It is no such thing; the reason is a sentence.
    """
    first, *rest = (part.partition("=") for part in text.split(","))
    name, sign, rate = (part.strip() for part in first)
    if not sign:
        raise ValueError(f"Say how often {name or 'which fault'} strikes, as a share of 1: {name or 'drop'}=0.1")
    given = {"fault": name, "rate": rate}
    for option, equals, value in rest:
        if not equals or option.strip() in ("fault", "rate"):
            raise ValueError(f"{option!r} is no option. Write options as name=value: error=0.1,status=429")
        given[option.strip()] = value.strip()
    try:
        return ordered(Fields(given))
    except StripeError as refusal:
        raise ValueError(str(refusal)) from None


def ordered(given: Fields) -> Order:
    """What the fields ask for.

    Raises:
        StripeError: 400; they make no sense.
    """
    fault = _fault(given)
    target = Target(**{name: given.text(name, "") for name in _target_of(fault)})
    is_share = given.has("rate")
    rate = given.number("rate", 1.0, least=0.0, most=1.0)
    # The next one, unless a share or a number was asked for.
    times = None if is_share and not given.has("times") else given.whole("times", 1, least=1, most=TIMES_MAX)
    seed = given.whole("seed", 0, least=0, most=SEED_MAX)
    given.end()
    return Order(fault, target, times, rate, seed)


def _fault(given: Fields) -> ApiFault | DeliveryFault:
    name = given.choice("fault", None, among=[kind.name for kind in FAULTS])
    kind = next(kind for kind in FAULTS if kind.name == name)
    hints = get_type_hints(kind)
    return kind(
        **{option.name: _option(given, option.name, hints[option.name], option.default) for option in fields_of(kind)}
    )


def _option(given: Fields, name: str, kind: Any, default: Any) -> Any:
    least, most = BOUNDS.get(name, (0, SEED_MAX))
    if kind is int:
        return given.whole(name, default, least=least, most=most)
    if kind is float:
        return given.number(name, default, least=least, most=most)
    if get_origin(kind) is not None:
        return given.choice(name, default, among=get_args(kind))
    return given.text(name, default)


def _target_of(fault: ApiFault | DeliveryFault) -> tuple[str, ...]:
    return ("method", "path") if isinstance(fault, ApiFault) else ("event", "webhook_endpoint")
