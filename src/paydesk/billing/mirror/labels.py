"""Labels: which plan a mirrored subscription is of, when the catalog has changed.

A plan is found by its price when a subscription is written. A catalog that names a price it did not name before, or
puts a plan into another slot, changes what older rows should say, and no event tells of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from paydesk.billing.log import get_logger
from paydesk.billing.mirror import shapes
from paydesk.billing.mirror.subscriptions import plan_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)


def relabel(store: Store, plans: PlanFinder) -> int:
    """Bring plans and slots in line with the catalog; answers how many subscriptions it changed."""
    with store.read() as connection:
        changed = _changed_prices(store, connection, plans)
    if not changed and not plans.slots:
        return 0
    items, subscriptions = store.tables.subscription_items, store.tables.subscriptions
    count = 0
    with store.write() as connection:
        for price_id, plan in changed.items():
            connection.execute(update(items).where(items.c.price_id == price_id).values(plan=plan))
            mine = update(subscriptions).where(subscriptions.c.price_id == price_id)
            count += connection.execute(mine.values(plan=plan)).rowcount
        for plan, slot in plans.slots.items():
            elsewhere = (subscriptions.c.plan == plan, subscriptions.c.slot != slot)
            count += connection.execute(update(subscriptions).where(*elsewhere).values(slot=slot)).rowcount
    if count:
        logger.info("the catalog has changed: %d subscriptions are of another plan or slot now", count)
    return count


def _changed_prices(store: Store, connection: Connection, plans: PlanFinder) -> dict[str, str | None]:
    """The prices in use whose plan is another one now. There are few, however many subscriptions there are."""
    items = store.tables.subscription_items
    samples = select(func.min(items.c.id)).where(items.c.price_id.is_not(None)).group_by(items.c.price_id, items.c.plan)
    rows = connection.execute(select(items).where(items.c.id.in_(samples))).mappings().all()
    found = {row["price_id"]: plan_of(store, lambda: connection, plans, shapes.price_of(row["object"])) for row in rows}
    return {row["price_id"]: found[row["price_id"]] for row in rows if row["plan"] != found[row["price_id"]]}
