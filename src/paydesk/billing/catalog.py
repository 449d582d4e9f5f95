"""What the app sells: `paydesk.toml`, read strictly.

    [products.ebook]
    name = "The little book of webhooks"
    price = "$19"

    [plans.pro]
    name = "Pro"
    price = ["$29/mo", "$290/yr"]
    features = ["export"]

    Starter: $9/mo → STRIPE_PRICE_STARTER

Only what stands here is sold, at the price that stands here. A file with any
mistake in it is refused whole, with the line and the reason of each mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from paydesk.billing import catalog_file, catalog_push
from paydesk.billing.catalog_portal import Portal, push_portal, read_portal
from paydesk.billing.meters import Meter, push_meter, read_meter
from paydesk.billing.offer import Offer
from paydesk.billing.plans import Plan, read_plan
from paydesk.errors import CatalogError, CatalogMistake, QuantityRefused, UnknownPlan, UnknownProduct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import stripe

    from paydesk.billing.catalog_file import Entry
    from paydesk.billing.money import Money

# Most things are bought one at a time: a catalog that wants more says so.
QUANTITY_MAX = 1
QUANTITY_CEILING = 999_999


@dataclass(frozen=True)
class Product:
    """Something sold once. `image` is an address, on the web or below the app's own."""

    code: str
    name: str
    price: Money
    lookup_key: str
    description: str = ""
    image: str | None = None
    quantity_min: int = 1
    quantity_max: int = QUANTITY_MAX

    @property
    def offers(self) -> tuple[Offer, ...]:
        return (self.offer,)

    prices = offers

    @property
    def offer(self) -> Offer:
        """The one price it is sold at."""
        return Offer(self.code, self.code, self.price, self.lookup_key)

    def checked_quantity(self, quantity: object) -> int:
        """The quantity, if it may be bought. Raises QuantityRefused."""
        is_whole = isinstance(quantity, int) and not isinstance(quantity, bool)
        if not is_whole or not self.quantity_min <= cast("int", quantity) <= self.quantity_max:
            raise QuantityRefused(self.code, quantity, minimum=self.quantity_min, maximum=self.quantity_max)
        return cast("int", quantity)


@dataclass(frozen=True)
class Catalog:
    """Everything the app sells, in the order of the file."""

    products: Mapping[str, Product] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)
    meters: Mapping[str, Meter] = field(default_factory=dict)
    portal: Portal = field(default_factory=Portal)

    @classmethod
    def load(cls, path: Path | str) -> Catalog:
        """Read the file. Raises CatalogError with every mistake in it."""
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            reason = "there is no such file. Create it with a [products.<code>] table for each thing you sell"
            raise CatalogError(file, [CatalogMistake(None, reason)]) from None
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogError(file, [CatalogMistake(None, f"the file cannot be read: {error}")]) from error
        return cls.parse(text, path=file)

    @classmethod
    def parse(cls, text: str, *, path: Path | str = "paydesk.toml") -> Catalog:
        """Read a catalog from its text; `path` is where the mistakes are said to be."""
        entries, mistakes = catalog_file.read(text)
        products = {entry: _product(entry) for entry in entries if entry.section == "products"}
        plans = {entry: read_plan(entry) for entry in entries if entry.section == "plans"}
        meters = [read_meter(entry) for entry in entries if entry.section == "meters"]
        portals = [read_portal(entry) for entry in entries if entry.section == catalog_file.PORTAL]
        sold = [(entry, item.prices) for entry, item in {**products, **plans}.items() if item is not None]
        counted = {meter.code for meter in meters}
        for entry, offers in sold:
            for meter in dict.fromkeys(offer.meter for offer in offers if offer.meter not in (None, *counted)):
                entry.refuse("usage", f"nothing counts {meter!r}: add a table [meters.{meter}]")
        found = [*mistakes, *(mistake for entry in entries for mistake in entry.mistakes), *_clashes(sold)]
        if found:
            raise CatalogError(path, found)
        return cls(
            products={product.code: product for product in products.values() if product is not None},
            plans={plan.code: plan for plan in plans.values() if plan is not None},
            meters={meter.code: meter for meter in meters},
            portal=next(iter(portals), Portal()),
        )

    def push(self, client: stripe.StripeClient) -> None:
        """Make what is sold and counted here exist at Stripe, and a portal for its plans.

        Doing it again changes nothing. Raises stripe.StripeError.
        """
        everything: list[Product | Plan] = [*self.products.values(), *self.plans.values()]
        meters = {meter.code: push_meter(client, meter) for meter in self.meters.values()}
        for sold in everything:
            catalog_push.push(client, sold)
        for plan in self.plans.values():
            for offer in plan.usage:
                catalog_push.push_usage(client, offer, self.meters[str(offer.meter)].name, meters[str(offer.meter)])
        if self.plans:
            push_portal(client, self.portal, self.plans_for_sale)

    def product(self, sku: str) -> Product:
        """The product of that code. Raises UnknownProduct."""
        try:
            return self.products[sku]
        except KeyError:
            raise UnknownProduct(sku, known=self.products) from None

    @property
    def plans_for_sale(self) -> tuple[Plan, ...]:
        """The plans that can be subscribed to."""
        return tuple(plan for plan in self.plans.values() if not plan.retired)

    def plan(self, code: str, *, is_had: bool = False) -> Plan:
        """The plan of that code, if it is for sale or had already (`is_had`). Raises UnknownPlan."""
        plan = self.plans.get(code)
        if plan is None or (plan.retired and not is_had):
            raise UnknownPlan(code, known=[each.code for each in self.plans_for_sale])
        return plan


def _product(entry: Entry) -> Product | None:
    name = entry.text("name", length_max=250)
    price = entry.money("price")
    lookup_key = entry.text("lookup_key", default=entry.code, length_max=200) or entry.code
    description = entry.text("description", default="")
    image = entry.text("image", default=None)
    quantity_min = entry.number("quantity_min", default=1, minimum=1, maximum=QUANTITY_CEILING)
    quantity_max = entry.number(
        "quantity_max", default=max(QUANTITY_MAX, quantity_min), minimum=1, maximum=QUANTITY_CEILING
    )
    if quantity_max < quantity_min:
        entry.refuse("quantity_max", f"quantity_max {quantity_max} is less than quantity_min {quantity_min}")
    entry.refuse_unknown()
    if name is None or price is None or entry.mistakes:
        return None
    return Product(
        code=entry.code,
        name=name,
        price=price,
        lookup_key=lookup_key,
        description=description or "",
        image=image,
        quantity_min=quantity_min,
        quantity_max=quantity_max,
    )


def _clashes(sold: Iterable[tuple[Entry, Iterable[Offer]]]) -> Iterator[CatalogMistake]:
    """Codes and lookup keys lead to one price each, so none may be used twice."""
    seen: set[str] = set()
    for entry, offers in sorted(sold, key=lambda each: each[0].line or 0):
        for offer in offers:
            name, key = f"name {offer.secret}", f"key {offer.lookup_key}"
            if name in seen:
                reason = f"the code {offer.code!r} is used twice (both would be STRIPE_PRICE_{offer.secret})"
                yield CatalogMistake(entry.line, reason)
            elif key in seen:
                reason = f"the lookup key {offer.lookup_key!r} is used twice"
                yield CatalogMistake(entry.line_of("lookup_key"), reason)
            seen |= {name, key}
