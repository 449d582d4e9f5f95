"""What a discount looks like: a coupon, applied to something. It has no URL of its own."""

from __future__ import annotations

from typing import Any

from paydesk.emulator.kernel.kinds import Kind

DISCOUNT = Kind(
    "discount",
    "di_",
    references={"customer": "customer", "promotion_code": "promotion_code", "source.coupon": "coupon"},
)


def shape(
    identifier: str,
    *,
    coupon: str,
    promotion_code: str | None,
    start: int,
    end: int | None = None,
    **applied: str | None,
) -> dict[str, Any]:
    """A discount as the API shows it; `applied` are the ids of whose it is and what it makes cheaper."""
    places = ("checkout_session", "customer", "invoice", "invoice_item", "subscription", "subscription_item")
    return {
        "id": identifier,
        "object": "discount",
        **{place: applied.get(place) for place in places},
        "customer_account": None,
        "end": end,
        "promotion_code": promotion_code,
        "source": {"coupon": coupon, "type": "coupon"},
        "start": start,
    }
