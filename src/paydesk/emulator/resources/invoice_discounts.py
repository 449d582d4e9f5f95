"""What makes an invoice cheaper: the discounts of its lines, and those of the whole.

Whoever drafts an invoice for a subscription hands over its discounts' ids as `terms={"discounts": ids}`, and gives
the lines those of their items; each is then in force, whatever its dates say. A draft may be given others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.resources import discounting
from paydesk.emulator.rules.discounts import Part, Share, shares
from paydesk.emulator.rules.money import step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.price_amounts import Under


def take(world: World, invoice: Document, given: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    """Take over what a request says of a draft's discounts; it is to be weighed afterwards.

    A promotion code's minimum must be reached by the lines that are there.

    Raises:
        StripeError: 400 where one cannot be redeemed for these lines.
    """
    if "discounts" in given:
        subtotal = sum(line["amount"] for line in lines)
        bought = discounting.purchase(world, invoice["customer"], invoice["currency"], subtotal)
        invoice["discounts"] = discounting.replace(
            world,
            invoice["discounts"],
            given["discounts"],
            bought,
            inherited=_of_subscription(world, invoice),
            invoice=invoice.id,
        )


def take_for_item(
    world: World, item: Document, given: Mapping[str, Any], under: Under, inherited: Sequence[str] = ()
) -> None:
    """Take over what a request says of an invoice item's discounts. `inherited` are those of its invoice.

    Raises:
        StripeError: 400 where one cannot be redeemed for this item.
    """
    if "discounts" in given:
        bought = discounting.purchase(world, item["customer"], item["currency"], item["amount"])
        item["discounts"] = discounting.replace(
            world,
            item["discounts"],
            given["discounts"],
            bought,
            param=under("discounts"),
            inherited=inherited,
            invoice_item=item.id,
        )


def owed(world: World, invoice: Document, lines: Sequence[Mapping[str, Any]]) -> list[list[Share]]:
    """What each of these lines owes to each discount, its own first."""
    currency = invoice["currency"]
    return shares(
        [Part(_product(line), line["amount"], line["discountable"]) for line in lines],
        [discounting.applied(world, line["discounts"], currency) for line in lines],
        discounting.applied(world, invoice["discounts"], currency),
        step=step(currency),
    )


def _of_subscription(world: World, invoice: Document) -> Sequence[str]:
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    subscription = world.find("subscription", details.get("subscription") or "")
    held: Sequence[str] = () if subscription is None else subscription["discounts"]
    return held


def _product(line: Mapping[str, Any]) -> str | None:
    product: str | None = ((line["pricing"] or {}).get("price_details") or {}).get("product")
    return product
