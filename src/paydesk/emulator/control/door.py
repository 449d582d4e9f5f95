"""The door to the controls: who asks, in which sandbox, and with which fields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from paydesk.emulator.kernel import auth, form
from paydesk.emulator.kernel.errors import StripeError, invalid, missing_param, unauthorized

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from paydesk.emulator.clockwork import Clockwork
    from paydesk.emulator.deliveries.outbox import Outbox
    from paydesk.emulator.deliveries.sender import Sender
    from paydesk.emulator.faults.armory import Armory
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.sandboxes import Sandbox


@dataclass(frozen=True)
class Door:
    """What the controls control."""

    kernel: Kernel
    outbox: Outbox
    sender: Sender
    armory: Armory
    clockwork: Clockwork

    def sandbox(self, request: Request) -> Sandbox:
        """The sandbox of the secret key that asks.

        Raises:
            StripeError: 401 without one.
        """
        key = auth.read(request.headers.get("authorization"))
        if key.kind != "sk":
            raise unauthorized("The controls of a sandbox open with its secret key (sk_test_…).")
        return self.kernel.sandboxes.open(key.name, livemode=key.livemode)


class Fields:
    """What was sent, taken out field by field; what nobody took is refused."""

    def __init__(self, sent: dict[str, Any]) -> None:
        self._left = dict(sent)

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default it must be there."""
        value = self._taken(name, default)
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {value!r}", param=name)
        return value

    def choice(self, name: str, default: str | None, *, among: Iterable[str]) -> str:
        """One of a few words; without a default it must be there."""
        value = self.text(name, default)
        if value not in among:
            raise invalid(f"Invalid {name}: must be one of {', '.join(among)}", param=name)
        return value

    def whole(self, name: str, default: int | None, *, least: int, most: int) -> int:
        """A whole number within bounds; without a default it must be there."""
        return _whole(self._taken(name, default), name, least, most)

    def wholes(self, name: str, default: tuple[int, ...], *, least: int, most: int, count_max: int) -> tuple[int, ...]:
        """A few whole numbers within bounds."""
        if name not in self._left:
            return default
        value = self._left.pop(name)
        # A form has no empty list: an empty text is one.
        values = [] if value == "" else value
        if not isinstance(values, list):
            raise invalid("Invalid array", param=name)
        if len(values) > count_max:
            raise invalid(f"Array {name} exceeded maximum {count_max} allowed elements.", param=name)
        return tuple(_whole(one, name, least, most) for one in values)

    def number(self, name: str, default: float, *, least: float, most: float) -> float:
        """A number within bounds."""
        value = self._taken(name, default)
        try:
            number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            raise invalid(f"{name} must be a number between {least:g} and {most:g}; it is {value!r}.", param=name)
        return number

    def has(self, name: str) -> bool:
        """Whether a field was sent and not taken yet."""
        return name in self._left

    def end(self) -> None:
        """Refuse what was sent and means nothing here."""
        if self._left:
            name = next(iter(self._left))
            raise invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")

    def _taken(self, name: str, default: Any) -> Any:
        if name in self._left:
            return self._left.pop(name)
        if default is None:
            raise missing_param(name)
        return default


def _whole(value: Any, name: str, least: int, most: int) -> int:
    try:
        number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    if number is None:
        raise invalid(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer")
    if not least <= number <= most:
        raise invalid(f"{name} must be between {least} and {most}; it is {number}.", param=name)
    return number


async def fields(request: Request) -> Fields:
    """The fields of a request: its query, and a body that is a JSON object or a form, whatever it calls itself."""
    sent = form.decode(request.url.query)
    body = await request.body()
    if not body.lstrip().startswith((b"{", b"[")):
        return Fields(sent | form.decode(body))
    try:
        decoded = json.loads(body)
    except ValueError as error:
        raise invalid(f"The body is not JSON: {error}") from None
    if not isinstance(decoded, dict):
        raise invalid("The body must be a JSON object.")
    return Fields(sent | decoded)


def answer(value: Any) -> Response:
    """JSON for people and programs alike."""
    return Response(json.dumps(value, indent=2, ensure_ascii=False), media_type="application/json")


def gone(message: str) -> StripeError:
    """404: there is no such thing in this sandbox."""
    return StripeError(message, status=404, code="resource_missing")
