"""Billing details on the portal: whom invoices are for, and where they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.pages import portal_tax, render
from paydesk.emulator.pages.checkout_form import TEXT_MAX
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import customer as customers
from paydesk.emulator.resources import tax_id
from paydesk.emulator.rules.addresses import is_email

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.errors import StripeError

# Label and what browsers call it, in the order people write addresses.
_PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "line1": ("Address", "address-line1"),
    "line2": ("Apartment, suite", "address-line2"),
    "city": ("City", "address-level2"),
    "state": ("State or province", "address-level1"),
    "postal_code": ("ZIP or postal code", "postal-code"),
    "country": ("Country or region", "country"),
}


@dataclass(frozen=True)
class Entry:
    """A field of the form."""

    name: str
    label: str
    value: str
    kind: str = "text"
    autocomplete: str = "off"
    options: Mapping[str, str] | None = None

    @property
    def is_short(self) -> bool:
        """Whether two of its kind stand side by side."""
        return self.name.endswith(("city", "state", "postal_code", "country")) or self.name.startswith("tax_")


@dataclass(frozen=True)
class Group:
    """Fields that belong together."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class View:
    """What the form of the details shows."""

    action: str
    groups: tuple[Group, ...]
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def focus(self) -> str | None:
        """The first field that needs another look."""
        return next(iter(self.problems), None)


def allowed(visit: Visit) -> frozenset[str]:
    """What of their details the customer may change."""
    feature = visit.feature("customer_update")
    return frozenset(feature["allowed_updates"]) if feature["enabled"] else frozenset()


def shown(visit: Visit) -> list[tuple[str, str]]:
    """The customer's details, named, for people to read."""
    customer = visit.customer
    rows = [
        ("Name", customer["name"]),
        ("Email", customer["email"]),
        ("Phone", customer["phone"]),
        ("Address", _in_a_line(customer["address"])),
    ]
    shipping = customer["shipping"]
    if shipping is not None:
        rows.append(("Ships to", ", ".join(filter(None, (shipping["name"], _in_a_line(shipping["address"]))))))
    rows += [(portal_tax.name_of(one["type"]), one["value"]) for one in tax_id.shown(visit.world, customer)]
    return [(name, value) for name, value in rows if value]


def _in_a_line(address: Mapping[str, Any] | None) -> str:
    if address is None:
        return ""
    parts = {name: value for name, value in address.items() if value}
    if "country" in parts:
        parts["country"] = render.countries().get(parts["country"], parts["country"])
    place = " ".join(parts[name] for name in ("state", "postal_code") if name in parts)
    lines = [parts.get("line1"), parts.get("line2"), parts.get("city"), place, parts.get("country")]
    return ", ".join(line for line in lines if line)


def _show(visit: Visit) -> Response:
    return _page(visit, _known(visit))


def _page(
    visit: Visit, values: Mapping[str, str], *, problems: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    view = View(
        action=visit.path("details"),
        groups=tuple(_groups(allowed(visit), values)),
        problems=problems or {},
    )
    return visit.page("portal_details.html", status=status, view=view, alert=None)


def _known(visit: Visit) -> dict[str, str]:
    """What is there, field by field."""
    customer = visit.customer
    tax: Mapping[str, Any] = portal_tax.held(visit.world, customer) or {}
    shipping = customer["shipping"] or {}
    values = {
        **{name: customer[name] for name in ("email", "name", "phone")},
        **{f"address_{part}": (customer["address"] or {}).get(part) for part in _PARTS},
        **{f"shipping_{name}": shipping.get(name) for name in ("name", "phone")},
        **{f"shipping_{part}": (shipping.get("address") or {}).get(part) for part in _PARTS},
        **{f"tax_{name}": tax.get(name) for name in ("type", "value")},
    }
    return {name: value or "" for name, value in values.items()}


def _groups(may: frozenset[str], values: Mapping[str, str]) -> Iterator[Group]:
    contact = [
        Entry("name", "Name", values["name"], autocomplete="name"),
        Entry("email", "Email", values["email"], kind="email", autocomplete="email"),
        Entry("phone", "Phone", values["phone"], kind="tel", autocomplete="tel"),
    ]
    if entries := tuple(entry for entry in contact if entry.name in may):
        yield Group("Contact", entries)
    if "address" in may:
        yield Group("Billing address", tuple(_address("address", "billing", values)))
    if "shipping" in may:
        receiver = (
            Entry("shipping_name", "Receiver", values["shipping_name"], autocomplete="shipping name"),
            Entry("shipping_phone", "Phone", values["shipping_phone"], kind="tel", autocomplete="shipping tel"),
        )
        yield Group("Shipping", (*receiver, *_address("shipping", "shipping", values)))
    if "tax_id" in may:
        kind = Entry("tax_type", "Type", values["tax_type"] or portal_tax.USUAL, options=portal_tax.types())
        yield Group("Tax ID", (kind, Entry("tax_value", "Number", values["tax_value"])))


def _address(prefix: str, section: str, values: Mapping[str, str]) -> Iterable[Entry]:
    for part, (label, autocomplete) in _PARTS.items():
        name = f"{prefix}_{part}"
        options = {"": "—", **render.countries()} if part == "country" else None
        yield Entry(name, label, values[name], autocomplete=f"{section} {autocomplete}", options=options)


def _submit(visit: Visit) -> Response:
    may, known = allowed(visit), _known(visit)
    # What the customer may not change is not read, whatever was sent.
    fields = {entry.name for group in _groups(may, known) for entry in group.entries}
    typed = {name: visit.text(name)[:TEXT_MAX] if name in fields else value for name, value in known.items()}
    problems = dict(_problems(fields, typed, known))
    if problems:
        return _page(visit, typed, problems=problems, status=422)
    customers.update(visit.world, visit.customer, _changes(may, typed, visit.customer))
    if "tax_id" in may:
        portal_tax.replace(visit.world, visit.customer, typed)
    return visit.finish("details")


def _problems(fields: set[str], typed: Mapping[str, str], known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "email" in fields:
        if typed["email"] and not is_email(typed["email"]):
            yield "email", "Your email address is incomplete."
        elif known["email"] and not typed["email"]:
            yield "email", "Enter your email address: invoices are sent to it."
    for name in ("address_country", "shipping_country"):
        if name in fields and typed[name] and typed[name] not in render.countries():
            yield name, "Choose a country."
    if "shipping_name" in fields and not typed["shipping_name"] and any(_shipping(typed).values()):
        yield "shipping_name", "Enter who receives what is sent."
    if "tax_value" in fields and (wrong := portal_tax.problem(typed)) is not None:
        yield wrong


def _shipping(typed: Mapping[str, str]) -> dict[str, str]:
    return {name: typed[f"shipping_{name}"] for name in ("name", "phone", *_PARTS)}


def _changes(may: frozenset[str], typed: Mapping[str, str], customer: Document) -> dict[str, Any]:
    """The parameters of the update that the API would be sent."""
    given: dict[str, Any] = {name: typed[name] or None for name in ("email", "name", "phone") if name in may}
    if "address" in may:
        where = {part: typed[f"address_{part}"] or None for part in _PARTS}
        # An address that was never there is not made of empty lines.
        if customer["address"] is not None or any(where.values()):
            given["address"] = where
    if "shipping" in may:
        receiver = _shipping(typed)
        given["shipping"] = (
            {
                "address": {part: receiver[part] or None for part in _PARTS},
                "name": receiver["name"],
                "phone": receiver["phone"] or None,
            }
            if any(receiver.values())
            else None
        )
    return given


def _refused(visit: Visit, refusal: StripeError) -> Response:
    return _page(visit, _known(visit), problems={"email": refusal.message}, status=refusal.status)


ROOM: Final = Room(is_open=lambda visit: bool(allowed(visit)), show=_show, submit=_submit, refused=_refused)
