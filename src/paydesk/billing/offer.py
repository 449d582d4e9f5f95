"""Offers: one price at which something is sold, as the catalog promises it.

A product has one, a plan one for each rhythm it is charged in. For each there
is a price at Stripe, found by the offer's code or by its lookup key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.billing.every import Every
    from paydesk.billing.money import Money


@dataclass(frozen=True)
class Offer:
    """`money`, once or every so often, for what is sold under `sold` (a product's or plan's code).

    With a `meter` it is asked for each `units` that the meter has counted, and each that was begun.
    """

    code: str
    sold: str
    money: Money
    lookup_key: str
    every: Every | None = None
    meter: str | None = None
    units: int = 1

    def __str__(self) -> str:
        if self.meter is not None:
            return f"{self.money} for each {f'{self.units} {self.meter}' if self.units > 1 else f'of {self.meter}'}"
        return f"{self.money} every {self.every}" if self.every else f"{self.money}, once"

    @property
    def secret(self) -> str:
        """What stands behind STRIPE_PRICE_ for this offer: letters of environment variables only."""
        return secret_name(self.code)


def product_id(code: str) -> str:
    """The id at Stripe of a product that we make.

    It is of our choosing, so that two machines starting at once make one product, and so that a price that has lost
    its lookup key is still known to be the plan's.
    """
    return f"paydesk_{code}"


def secret_name(code: str) -> str:
    """A code as a part of an environment variable's name."""
    return code.upper().replace("-", "_")
