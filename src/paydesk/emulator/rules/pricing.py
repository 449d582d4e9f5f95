"""What a price is made of: its amount, how often it is due, and in which tiers.

Products make prices (their default one) and prices make products (inline), so what
both need to say about a price stands here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document, differences, from_text
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.rules import money, price_amounts
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World


def new_price(
    world: World, given: dict[str, Any], product: str, *, param: str = "", is_inline: bool = False
) -> Document:
    """A price of a product, not kept yet. `given` are the parameters of a price, found in the request under `param`.

    Inline prices (Checkout's `price_data`) are for one use: they are never active, and do not count as prices of
    their product when it is deleted.

    Raises:
        StripeError: 400, where the parameters contradict each other or say too little.
    """
    under = Under(param)
    currency = money.check_currency(given["currency"], param=under("currency"))
    recurring = price_amounts.recurring(given.get("recurring"), under)
    if recurring is not None and recurring["meter"] is not None:
        _check_counts(world, recurring["meter"], under("recurring[meter]"))
    is_tiered = given.get("billing_scheme") == "tiered"
    tiers = price_amounts.tiers(given, under) if is_tiered else None
    if is_tiered:
        amount: dict[str, Any] = {"unit_amount": None, "unit_amount_decimal": None, "custom_unit_amount": None}
    else:
        amount = price_amounts.amount(given, under)
    if amount["custom_unit_amount"] is not None and recurring is not None:
        raise invalid("`custom_unit_amount` cannot be used with a recurring price.", param=under("custom_unit_amount"))
    transform = given.get("transform_quantity")
    if transform is not None and (is_tiered or transform["divide_by"] < 1):
        raise invalid(
            "`transform_quantity` cannot be combined with `tiers`." if is_tiered else "Invalid positive integer",
            param=under("transform_quantity"),
        )
    options = {
        money.check_currency(other, param=under("currency_options")): price_amounts.option(
            option, Under(under(f"currency_options[{other}]")), is_tiered=is_tiered
        )
        for other, option in (given.get("currency_options") or {}).items()
    }
    price = Document(
        {
            "id": world.mint("price_"),
            "object": "price",
            "active": not is_inline and given.get("active", True),
            "billing_scheme": "tiered" if is_tiered else "per_unit",
            "created": world.now,
            "currency": currency,
            "custom_unit_amount": amount["custom_unit_amount"],
            "livemode": world.livemode,
            "lookup_key": None,
            "metadata": metadata({}, given.get("metadata", {})),
            "nickname": given.get("nickname"),
            "product": product,
            "recurring": recurring,
            "tax_behavior": given.get("tax_behavior", "unspecified"),
            "tiers_mode": given["tiers_mode"] if is_tiered else None,
            "transform_quantity": transform,
            "type": "one_time" if recurring is None else "recurring",
            "unit_amount": amount["unit_amount"],
            "unit_amount_decimal": amount["unit_amount_decimal"],
        }
    )
    price.private = {"currency_options": options} | ({"tiers": tiers} if is_tiered else {})
    if is_inline:
        price.private["is_inline"] = True
    return price


def _check_counts(world: World, identifier: str, param: str) -> None:
    """Refuse a meter that counts nothing: what it should charge for would be free."""
    if world.get("billing.meter", identifier, param=param)["status"] != "active":
        raise invalid(f"The meter `{identifier}` is inactive. Prices need an active meter.", param=param)


def set_option(price: Document, currency: str, given: dict[str, Any] | None) -> None:
    """Give a price its amount in a further currency, change it, or (for None) take it away."""
    lowered = money.check_currency(currency, param="currency_options")
    if lowered == price["currency"]:
        raise invalid("The price's own currency cannot be changed in `currency_options`.", param="currency_options")
    options = {**price.private.get("currency_options", {})}
    options.pop(lowered, None)
    if given is not None:
        under = Under(f"currency_options[{currency}]")
        options[lowered] = price_amounts.option(given, under, is_tiered=price["billing_scheme"] == "tiered")
    price.private["currency_options"] = options


def currency_options(price: Document) -> dict[str, Any]:
    """The price in each of its currencies, its own among them, as an answer shows it when it is expanded."""
    own = {name: price[name] for name in ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")}
    if "tiers" in price.private:
        own["tiers"] = price.private["tiers"]
    options: dict[str, Any] = {price["currency"]: own, **price.private.get("currency_options", {})}
    return dict(sorted(options.items()))


def as_plan(price: Document) -> Document:
    """The legacy view of a recurring price, which its events still show."""
    recurring = price["recurring"]
    return Document(
        {
            "id": price.id,
            "object": "plan",
            "active": price["active"],
            "amount": price["unit_amount"],
            "amount_decimal": price["unit_amount_decimal"],
            "billing_scheme": price["billing_scheme"],
            "created": price["created"],
            "currency": price["currency"],
            "interval": recurring["interval"],
            "interval_count": recurring["interval_count"],
            "livemode": price["livemode"],
            "metadata": price["metadata"],
            "meter": recurring["meter"],
            "nickname": price["nickname"],
            "product": price["product"],
            "tiers_mode": price["tiers_mode"],
            "transform_usage": price["transform_quantity"],
            "trial_period_days": recurring["trial_period_days"],
            "usage_type": recurring["usage_type"],
        }
    )


def keep(world: World, price: Document) -> Document:
    """Keep a new price, and tell of it: first as a plan, where it is one."""
    world.add(price)
    if price["recurring"] is not None:
        world.emit("plan.created", as_plan(price))
    world.emit("price.created", price)
    return price


def save(world: World, price: Document) -> None:
    """Keep a price's changes, and tell of them: first as a plan, where a plan shows them."""
    before = Document(from_text(price.stored))
    previous = world.save(price)
    if not previous:
        return
    if price["recurring"] is not None:
        plan = as_plan(price)
        if changed := differences(as_plan(before), plan):
            world.emit("plan.updated", plan, changed)
    world.emit("price.updated", price, previous)


def delete(world: World, price: Document) -> None:
    """Take a price away for good, as only plans are; told as a plan first. Who subscribed to it goes on paying it."""
    world.delete(price)
    world.emit("plan.deleted", as_plan(price))
    world.emit("price.deleted", price)
