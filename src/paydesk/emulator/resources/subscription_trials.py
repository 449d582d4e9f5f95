"""The end of a trial whose customer left nothing to charge: what becomes of the subscription then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.resources import (
    invoice_collection,
    subscription_ending,
    subscription_pausing,
    subscription_periods,
    subscription_shape,
)
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


def ends_unpaid(world: World, subscription: Document, items: Sequence[Document]) -> bool:
    """End or pause a subscription whose trial is over, where its settings want that and nobody can be charged.

    False: it goes on, and is billed.
    """
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    is_charged = subscription["collection_method"] == "charge_automatically"
    if behavior == "create_invoice" or not is_charged:
        return False
    if invoice_collection.method_of_subscription(world, subscription) is not None:
        return False
    for item in items:
        subscription_periods.put(item, Period(subscription["trial_start"], world.now))
    subscription_shape.keep_items(world, subscription, items)
    if behavior == "cancel":
        subscription_ending.end(world, subscription)
    else:
        subscription_pausing.stop(world, subscription, "trial_end_without_payment_method")
        subscription_pausing.tell(world, subscription)
    return True
