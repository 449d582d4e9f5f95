"""What happens when money does. Each handler runs in a transaction of Django's that also marks it done: once."""

from __future__ import annotations

from paydesk import OrderPaid, OrderRefunded
from paydesk.django import desk
from shelf.models import Copy


@desk.on(OrderPaid)
def deliver(paid: OrderPaid) -> None:
    """Put it on the shelf of whoever bought it."""
    order = paid.order
    if order.user_id is not None:
        Copy.objects.create(owner_id=int(order.user_id), sku=order.sku, order_id=order.id)


@desk.on(OrderRefunded)
def take_back(refunded: OrderRefunded) -> None:
    """Money back, book back."""
    if refunded.is_full:
        Copy.objects.filter(order_id=refunded.order.id).update(state="returned")
