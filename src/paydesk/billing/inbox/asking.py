"""Asking: what a round needs to know of its objects, Stripe is asked, once for each, with no transaction open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.mirror.read import read
from paydesk.billing.mirror.sheet import Sheet
from paydesk.errors import StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from paydesk.billing.inbox.rounds import Round, Rounds
    from paydesk.billing.inbox.visits import Visit
    from paydesk.billing.mirror.read import Stripe
    from paydesk.billing.store.store import Store


class Asker:
    """Asks Stripe. Safe to use from many threads, each with rounds of its own."""

    def __init__(self, store: Store, stripe: Stripe, rounds: Rounds, *, is_background: bool) -> None:
        self._store = store
        self._stripe = stripe
        self._rounds = rounds
        self._is_background = is_background

    def ask(self, of: Round) -> None:
        """Ask for what is unread, parents that are missing included.

        Raises StripeUnavailable. What is wrong with one object is kept with its visit.
        """
        while unread := of.unread:
            for visit in unread:
                self._ask(visit)
            if of.unvisited:
                with self._store.read() as connection:
                    self._rounds.add_parents(Sheet(self._store, connection, is_writing=False), [of])

    def _ask(self, visit: Visit) -> None:
        visit.has_been_read = True
        try:
            is_background = self._is_background or visit.is_late
            visit.state = read(self._stripe, visit.mirrored, visit.ref.id, is_background=is_background)
        except StripeRefused as refusal:
            if refusal.status == 401:
                # It is the key that is refused, so this is no object's fault: everything waits for a better one.
                raise StripeUnavailable(refusal.doing, refusal.message, tries=1) from refusal
            visit.fail(refusal)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            visit.fail(error)  # an answer of a shape that nobody has seen yet
