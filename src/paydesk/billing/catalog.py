"""What the app sells: `paydesk.toml`, read strictly.

    [products.ebook]
    name = "The little book of webhooks"
    price = "$19"

    [plans.pro]
    name = "Pro"
    price = "$29"
    interval = "month"

Only what stands here is sold, at the price that stands here. A file with any
mistake in it is refused whole, with the line and the reason of each mistake.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from paydesk.billing import catalog_file, catalog_push
from paydesk.errors import CatalogError, CatalogMistake, QuantityRefused, UnknownProduct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import stripe

    from paydesk.billing.catalog_file import Entry
    from paydesk.billing.money import Money

Interval = Literal["day", "week", "month", "year"]

# Stripe bills at least every three years.
INTERVALS_MAX: Mapping[str, int] = MappingProxyType({"day": 1095, "week": 156, "month": 36, "year": 3})

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

    def checked_quantity(self, quantity: object) -> int:
        """The quantity, if it may be bought. Raises QuantityRefused."""
        is_whole = isinstance(quantity, int) and not isinstance(quantity, bool)
        if not is_whole or not self.quantity_min <= cast("int", quantity) <= self.quantity_max:
            raise QuantityRefused(self.code, quantity, minimum=self.quantity_min, maximum=self.quantity_max)
        return cast("int", quantity)


@dataclass(frozen=True)
class Plan:
    """Something sold again every `interval_count` intervals."""

    code: str
    name: str
    price: Money
    lookup_key: str
    interval: Interval
    interval_count: int = 1
    description: str = ""


@dataclass(frozen=True)
class Catalog:
    """Everything the app sells, in the order of the file."""

    products: Mapping[str, Product] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=dict)

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
        products = [_product(entry) for entry in entries if entry.section == "products"]
        plans = [_plan(entry) for entry in entries if entry.section == "plans"]
        found = [*mistakes, *(mistake for entry in entries for mistake in entry.mistakes), *_clashes(entries)]
        if found:
            raise CatalogError(path, found)
        return cls(
            products={product.code: product for product in products if product is not None},
            plans={plan.code: plan for plan in plans if plan is not None},
        )

    def push(self, client: stripe.StripeClient) -> None:
        """Make what is sold here exist at Stripe. Doing it again changes nothing; raises stripe.StripeError."""
        everything: list[Product | Plan] = [*self.products.values(), *self.plans.values()]
        for sold in everything:
            catalog_push.push(client, sold)

    def product(self, sku: str) -> Product:
        """The product of that code. Raises UnknownProduct."""
        try:
            return self.products[sku]
        except KeyError:
            raise UnknownProduct(sku, known=self.products) from None


def secret_name(code: str) -> str:
    """What the part after STRIPE_PRICE_ is called for this code: letters of environment variables only."""
    return code.upper().replace("-", "_")


def _product(entry: Entry) -> Product | None:
    name, price, lookup_key = _what_is_sold(entry)
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


def _plan(entry: Entry) -> Plan | None:
    name, price, lookup_key = _what_is_sold(entry)
    description = entry.text("description", default="")
    interval = entry.choice("interval", tuple(INTERVALS_MAX))
    interval_count = entry.number("interval_count", default=1, minimum=1, maximum=INTERVALS_MAX.get(interval or "", 1))
    entry.refuse_unknown()
    if name is None or price is None or interval is None or entry.mistakes:
        return None
    return Plan(
        code=entry.code,
        name=name,
        price=price,
        lookup_key=lookup_key,
        interval=cast("Interval", interval),
        interval_count=interval_count,
        description=description or "",
    )


def _what_is_sold(entry: Entry) -> tuple[str | None, Money | None, str]:
    name = entry.text("name", length_max=250)
    price = entry.money("price")
    lookup_key = entry.text("lookup_key", default=entry.code, length_max=200)
    return name, price, lookup_key or entry.code


def _clashes(entries: Iterable[Entry]) -> Iterator[CatalogMistake]:
    """Codes and lookup keys lead to one price each, so none may be used twice."""
    entries = list(entries)
    names = Counter(secret_name(entry.code) for entry in entries)
    keys = Counter(str(entry.values.get("lookup_key", entry.code)) for entry in entries)
    seen: set[str] = set()
    for entry in entries:
        name, key = secret_name(entry.code), str(entry.values.get("lookup_key", entry.code))
        if names[name] > 1 and f"name {name}" in seen:
            yield CatalogMistake(
                entry.line, f"the code {entry.code!r} is used twice (both would be STRIPE_PRICE_{name})"
            )
        elif keys[key] > 1 and f"key {key}" in seen:
            yield CatalogMistake(entry.line_of("lookup_key"), f"the lookup key {key!r} is used twice")
        seen |= {f"name {name}", f"key {key}"}
