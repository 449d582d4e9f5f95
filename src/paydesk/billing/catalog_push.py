"""Making what the catalog sells exist at Stripe: a product, with a price under each offer's lookup key.

A price at Stripe never changes. Where the catalog's has changed, a new one is
made and takes the lookup key over; what was bought at the old price stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from paydesk.billing.offer import product_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    import stripe

    from paydesk.billing.offer import Offer


class Sold(Protocol):
    """A product or plan of the catalog."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def offers(self) -> tuple[Offer, ...]: ...


def push(client: stripe.StripeClient, sold: Sold) -> None:
    """Make the product and its prices exist. Raises stripe.StripeError."""
    chosen = product_id(sold.code)
    _push_product(client, chosen, {"name": sold.name, "description": sold.description}, _images(sold))
    for offer in sold.offers:
        _push_price(client, offer, chosen, _terms(offer))


def push_usage(client: stripe.StripeClient, offer: Offer, name: str, meter_id: str) -> None:
    """Make the price for what a meter counts exist. Its product is what was counted: so invoices call it.

    Raises stripe.StripeError.
    """
    chosen = product_id(f"meter_{offer.meter}")
    _push_product(client, chosen, {"name": name, "description": ""}, {})
    terms = _terms(offer)
    terms["recurring"] |= {"usage_type": "metered", "meter": meter_id}
    if offer.units > 1:
        terms["transform_quantity"] = {"divide_by": offer.units, "round": "up"}
    _push_price(client, offer, chosen, terms)


def _push_price(client: stripe.StripeClient, offer: Offer, made: str, wanted: dict[str, Any]) -> None:
    current = _price(client, offer.lookup_key)
    if current is None or _terms_of(current) != wanted:
        _create_price(client, offer, made, wanted, is_transferring=current is not None)


def _push_product(client: stripe.StripeClient, chosen: str, terms: Any, more: Mapping[str, Any]) -> None:
    import stripe

    try:
        product = client.v1.products.retrieve(chosen)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        # Stripe takes an empty text for the wish to remove one, which a new product refuses.
        new: Any = {"id": chosen, **{key: value for key, value in terms.items() if value}, **more}
        try:
            client.v1.products.create(new)
        except stripe.InvalidRequestError as clash:
            if clash.code != "resource_already_exists":
                raise
        return
    if (product.name, product.description or "") != (terms["name"], terms["description"]) or not product.active:
        changed: Any = {**terms, "active": True}
        client.v1.products.update(chosen, changed)


def _price(client: stripe.StripeClient, lookup_key: str) -> stripe.Price | None:
    return next(iter(client.v1.prices.list({"lookup_keys": [lookup_key], "active": True}).data), None)


def _create_price(
    client: stripe.StripeClient, offer: Offer, made: str, terms: dict[str, Any], *, is_transferring: bool
) -> None:
    import stripe

    params: Any = {**terms, "product": made, "lookup_key": offer.lookup_key}
    params["transfer_lookup_key"] = is_transferring
    try:
        client.v1.prices.create(params)
    except stripe.InvalidRequestError as error:
        if error.param != "lookup_key":
            raise
        # Another machine was quicker, or an archived price still holds the key. The former needs nothing more.
        current = _price(client, offer.lookup_key)
        if current is None or _terms_of(current) != terms:
            params["transfer_lookup_key"] = True
            client.v1.prices.create(params)


def _terms(offer: Offer) -> dict[str, Any]:
    terms: dict[str, Any] = {"unit_amount": offer.money.amount_minor, "currency": offer.money.currency}
    if offer.every is not None:
        terms["recurring"] = {"interval": offer.every.interval, "interval_count": offer.every.count}
    return terms


def _terms_of(price: stripe.Price) -> dict[str, Any]:
    terms: dict[str, Any] = {"unit_amount": price.unit_amount, "currency": price.currency}
    if price.recurring is not None:
        terms["recurring"] = {
            "interval": price.recurring.interval,
            "interval_count": price.recurring.interval_count,
        }
        if price.recurring.meter is not None:
            terms["recurring"] |= {"usage_type": "metered", "meter": price.recurring.meter}
    if price.transform_quantity is not None:
        rule = price.transform_quantity
        terms["transform_quantity"] = {"divide_by": rule.divide_by, "round": rule.round}
    return terms


def _images(sold: Sold) -> dict[str, Any]:
    """Stripe shows an image only if it can fetch it: an address below the app's own is of no use there."""
    image = getattr(sold, "image", None)
    return {"images": [image]} if image and image.startswith("https://") else {}
