"""The reading room's tests: `python manage.py test`. Stripe is a local one, and time is moved."""

from __future__ import annotations

from django.contrib.auth.models import User

from paydesk.django.testing import BillingTestCase
from shelf.models import Copy


class Selling(BillingTestCase):
    """From the button to the shelf, and back."""

    def setUp(self) -> None:
        super().setUp()
        self.ada = User.objects.create_user("ada", "ada@example.com")
        self.client.force_login(self.ada)

    def shelf(self) -> list[tuple[str, str]]:
        return list(Copy.objects.filter(owner=self.ada).values_list("sku", "state"))

    def test_a_book_is_on_the_shelf_once_it_is_paid(self) -> None:
        """However often Stripe tells."""
        sent = self.client.post("/checkout", {"sku": "ebook"}, "application/json")

        self.billing.pay(sent.json()["url"], settle=False)
        self.billing.deliver(shuffled=True, twice=True)
        self.billing.settle()

        self.assertEqual(self.shelf(), [("ebook", "yours")])
        self.assertContains(self.client.get("/"), "ebook")

    def test_money_back_is_book_back(self) -> None:
        """Refunded in Stripe's dashboard, and seen on the shelf."""
        order = self.billing.buy(self.ada, "ebook")

        self.billing.refund(order)

        self.assertEqual(self.shelf(), [("ebook", "returned")])

    def test_a_crash_between_the_shelf_and_the_mark_is_made_up_for(self) -> None:
        """The handler had returned; nothing of it was kept; it runs again."""
        with self.billing.crash_between("effect", "commit"):
            self.billing.buy(self.ada, "ebook")

        self.assertEqual(self.shelf(), [("ebook", "yours")])

    def test_the_drafts_are_for_the_circle(self) -> None:
        """Open while somebody subscribes, and not a day longer."""
        before = self.client.get("/drafts")

        self.billing.subscribe(self.ada, "circle")
        during, home = self.client.get("/drafts"), self.client.get("/")
        self.billing.cancel(self.ada)
        self.billing.advance("1 month 1 day")
        after = self.client.get("/drafts")

        self.assertEqual([before.status_code, during.status_code, after.status_code], [403, 200, 403])
        self.assertContains(home, "are open to you")
