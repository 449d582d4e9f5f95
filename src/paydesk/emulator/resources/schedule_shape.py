"""What a subscription schedule looks like, and what a caller may say of its phases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.resources import subscription_items, tax_rate
from paydesk.emulator.rules import phases
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.phases import Span

SCHEDULE: Final = Kind(
    "subscription_schedule",
    "sub_sched_",
    missing_param="schedule",
    filters=("customer", "status", "subscription"),
    references={
        "customer": "customer",
        "default_settings.default_payment_method": "payment_method",
        "phases.items.price": "price",
        "subscription": "subscription",
        "test_clock": "test_helpers.test_clock",
    },
)
# What of a phase is handed to the subscription as it is.
PASSED: Final = ("collection_method", "default_payment_method", "description")


def new(world: World, customer: Document, given: dict[str, Any], *, billing_mode: dict[str, Any]) -> Document:
    """A schedule without phases, not kept yet."""
    return Document(
        {
            "id": world.mint("sub_sched_"),
            "object": "subscription_schedule",
            "application": None,
            "billing_mode": billing_mode,
            "canceled_at": None,
            "completed_at": None,
            "created": world.now,
            "current_phase": None,
            "customer": customer.id,
            "customer_account": None,
            "default_settings": {
                "application_fee_percent": None,
                "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
                "billing_cycle_anchor": "automatic",
                "billing_thresholds": None,
                "collection_method": "charge_automatically",
                "default_payment_method": None,
                "description": None,
                "invoice_settings": _invoice_settings(),
                "on_behalf_of": None,
                "transfer_data": None,
            },
            "end_behavior": given.get("end_behavior") or "release",
            "livemode": world.livemode,
            "metadata": metadata({}, given.get("metadata", {})),
            "pause_schedules": [],
            "phases": [],
            "released_at": None,
            "released_subscription": None,
            "status": "not_started",
            "subscription": None,
            "test_clock": customer["test_clock"],
        }
    )


def take_defaults(schedule: Document, given: dict[str, Any]) -> None:
    """Take over what holds for every phase that says nothing else."""
    said = given.get("default_settings") or {}
    settings = schedule["default_settings"]
    for name in ("billing_cycle_anchor", *PASSED):
        if name in said:
            settings[name] = said[name]
    for name, value in (said.get("invoice_settings") or {}).items():
        settings["invoice_settings"][name] = value


def set_phases(world: World, schedule: Document, given: Sequence[dict[str, Any]], start: int) -> None:
    """Give a schedule these phases, in place of those it had; it is not saved yet.

    Raises:
        StripeError: 400 where a phase sells nothing, or their times do not fit.
    """
    priced = [_items(world, phase, f"phases[{place}]") for place, phase in enumerate(given)]
    rhythms = [_rhythm(world, items) for items in priced]
    times = phases.spans(given, start, rhythms)
    schedule["phases"] = [
        _shaped(world, schedule, phase, items, span, f"phases[{place}]")
        for place, (phase, items, span) in enumerate(zip(given, priced, times, strict=True))
    ]


def times(schedule: Document) -> list[Span]:
    """When each of a schedule's phases is."""
    return [phases.Span(phase["start_date"], phase["end_date"]) for phase in schedule["phases"]]


def _items(world: World, phase: dict[str, Any], where: str) -> list[dict[str, Any]]:
    entries = phase.get("items") or ()
    if not entries:
        raise missing_param(f"{where}[items]")
    items = []
    for place, entry in enumerate(entries):
        under = Under(f"{where}[items][{place}]")
        sold = subscription_items.priced(world, entry, under, None)
        if sold is None:
            raise missing_param(under("price"))
        many = subscription_items.quantity(entry, under, sold)
        items.append(
            {
                "billing_thresholds": None,
                "discounts": [_named(discount) for discount in entry.get("discounts") or ()],
                "metadata": metadata({}, entry.get("metadata", {})),
                "plan": sold.id,
                "price": sold.id,
                **({} if many is None else {"quantity": many}),
                "tax_rates": tax_rate.chosen(world, entry.get("tax_rates"), param=under("tax_rates")),
            }
        )
    return items


def _rhythm(world: World, items: Sequence[dict[str, Any]]) -> tuple[str, int]:
    recurring = world.get("price", items[0]["price"])["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _shaped(
    world: World, schedule: Document, given: dict[str, Any], items: list[dict[str, Any]], span: Span, where: str
) -> dict[str, Any]:
    trial_end = span.end if given.get("trial") else given.get("trial_end")
    currency = given.get("currency") or world.get("price", items[0]["price"])["currency"]
    return {
        "add_invoice_items": [
            {
                "discountable": entry.get("discountable"),
                "discounts": [],
                "metadata": metadata({}, entry.get("metadata", {})),
                "period": {"end": {"type": "min_item_period_end"}, "start": {"type": "max_item_period_start"}},
                "price": world.get("price", entry["price"], param=f"{where}[add_invoice_items][{place}][price]").id,
                "quantity": entry.get("quantity", 1),
                "tax_rates": [],
            }
            for place, entry in enumerate(given.get("add_invoice_items") or ())
        ],
        "application_fee_percent": None,
        "billing_cycle_anchor": given.get("billing_cycle_anchor"),
        "billing_thresholds": None,
        "collection_method": given.get("collection_method"),
        "currency": currency,
        "default_payment_method": given.get("default_payment_method"),
        "default_tax_rates": tax_rate.chosen(
            world, given.get("default_tax_rates"), param=f"{where}[default_tax_rates]"
        ),
        "description": given.get("description"),
        "discounts": [_named(discount) for discount in given.get("discounts") or ()],
        "end_date": span.end,
        "invoice_settings": given.get("invoice_settings") and _invoice_settings() | given["invoice_settings"],
        "items": items,
        "metadata": metadata({}, given.get("metadata", {})),
        "on_behalf_of": None,
        "proration_behavior": given.get("proration_behavior") or "create_prorations",
        "start_date": span.start,
        "transfer_data": None,
        "trial_end": trial_end,
    }


def _named(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given.get(name) for name in ("coupon", "discount", "promotion_code")}


def _invoice_settings() -> dict[str, Any]:
    return {
        "account_tax_ids": None,
        "custom_fields": None,
        "days_until_due": None,
        "description": None,
        "footer": None,
        "issuer": {"type": "self"},
    }
