"""The seller: changes things in Stripe's own dashboard, where the app learns of it by webhooks alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sim.universe import Universe

EVIDENCE = ("winning_evidence", "losing_evidence")


class Seller:
    """Somebody who knows nothing of the app's database, and does whatever they please."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe

    def act(self) -> None:
        """Do one thing to something that the app knows."""
        universe = self._universe
        random = universe.chance.random
        match random.choice(("rename", "rename", "refund", "end", "evidence", "delete")):
            case "rename":
                # Several times within a second, as people do who notice a typo.
                kind, name = random.choice((("products", "name"), ("customers", "name")))
                for thing in self._one_of(f"SELECT {self._id(kind)} FROM {kind} WHERE deleted_at IS NULL"):  # noqa: S608 - two words of ours
                    for _ in range(random.choice((1, 2, 3))):
                        self._do("POST", f"/v1/{kind}/{thing}", **{name: f"number {random.randrange(1000)}"})
            case "refund":
                for intent in self._one_of("SELECT payment_intent_id FROM orders WHERE status = 'paid'"):
                    self._do("POST", "/v1/refunds", payment_intent=intent, amount="200")
            case "end":
                live = "SELECT id FROM subscriptions WHERE status IN ('active', 'past_due')"
                for subscription in self._one_of(live) if random.random() < 0.5 else ():
                    self._do("DELETE", f"/v1/subscriptions/{subscription}")
            case "evidence":
                for dispute in self._one_of("SELECT id FROM disputes WHERE status = 'needs_response'"):
                    given = {"evidence[uncategorized_text]": random.choice(EVIDENCE), "submit": "true"}
                    self._do("POST", f"/v1/disputes/{dispute}", **given)
            case "delete" if random.random() < 0.3:
                known = "SELECT stripe_id FROM customers WHERE stripe_id IS NOT NULL AND deleted_at IS NULL"
                for customer in self._one_of(known):
                    self._do("DELETE", f"/v1/customers/{customer}")

    def touch(self, path: str) -> None:
        """Change the very thing that somebody is just looking at: that is when it hurts."""
        number = str(self._universe.chance.random.randrange(1000))
        kind, _, thing = path.removeprefix("/v1/").rpartition("/")
        match kind:
            case "customers" | "products":
                self._do("POST", path, name=f"number {number}")
            case "subscriptions" | "invoices" | "prices":
                self._do("POST", path, **{"metadata[number]": number})
            case "payment_intents":
                self._do("POST", "/v1/refunds", payment_intent=thing, amount="100")
            case "checkout/sessions":
                self._universe.line.pay(thing, "pm_card_visa", "somebody@example.com")
            case "disputes":
                evidence = {"evidence[uncategorized_text]": "winning_evidence", "submit": "true"}
                self._do("POST", path, **evidence)

    @staticmethod
    def _id(table: str) -> str:
        return "stripe_id" if table == "customers" else "id"

    def _one_of(self, query: str) -> list[str]:
        """One of what the query finds, if it finds something."""
        found = sorted(value for (value,) in self._universe.outside.rows(query) if value is not None)
        return [self._universe.chance.random.choice(found)] if found else []

    def _do(self, method: str, path: str, **fields: str) -> None:
        status = self._universe.line.ask(method, path, **fields)
        self._universe.note(f"the seller: {method} {path} {' '.join(fields.values())} -> {status}")
