"""Billing in Django's admin: everything to look at, and two things to do.

Nothing is edited here: rows are what Stripe has. Whoever may "change" a model can have rows read from Stripe again, and
have events and handlers that failed tried again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils import timezone
from django.utils.html import format_html

from paydesk.billing.inbox.letters import Letters
from paydesk.billing.log import redact
from paydesk.billing.money import show
from paydesk.billing.web.admin.inbox import without_secrets
from paydesk.django import models
from paydesk.django.lazy import desk
from paydesk.django.stripes_dashboard import page_of
from paydesk.errors import PaydeskError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin  # which takes no argument when it runs


class ReadOnlyAdmin(ModelAdmin):
    """Lists, searches, shows."""

    show_full_result_count = False
    list_per_page = 50
    stripe_id = "id"
    whole: tuple[str, ...] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_again_permission(self, request: HttpRequest) -> bool:
        """Whether this person may have rows read or tried again."""
        return bool(request.user.has_perm(f"paydesk.change_{self.opts.model_name}"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        names = [field.name for field in self.opts.concrete_fields if field.name not in (*self.whole, *_AGES)]
        amount = ("amount",) if "amount" in self.list_display else ()
        return (names[0], *amount, *names[1:], "at_stripe", *(f"{name}_shown" for name in self.whole))

    @admin.display(description="At Stripe")
    def at_stripe(self, row: Any) -> str:
        """A link to the page in Stripe's dashboard."""
        url = page_of(getattr(row, self.stripe_id), desk.settings, livemode=getattr(row, "livemode", None))
        return format_html('<a href="{}" rel="noreferrer">Open in Stripe’s dashboard</a>', url) if url else "–"

    @admin.display(description="Object")
    def object_shown(self, row: Any) -> str:
        return _pretty(row.object)

    @admin.display(description="Payload")
    def payload_shown(self, row: Any) -> str:
        return _pretty(json.loads(row.payload))

    @admin.display(description="Body")
    def body_shown(self, row: Any) -> str:
        return _pretty(row.body)

    @admin.display(description="Last error")
    def last_error_shown(self, row: Any) -> str:
        return format_html("<pre>{}</pre>", row.last_error or "–")

    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, row: Any) -> str:
        return show(row.amount_minor, row.currency) if row.amount_minor is not None else "–"


# What says how old a row is concerns the mirror alone.
_AGES = ("seen_at", "payload_at", "deleted_at")


class MirroredAdmin(ReadOnlyAdmin):
    """Rows that can be read again."""

    actions = ("read_again",)
    whole = ("object",)

    @admin.action(description="Read again from Stripe", permissions=["again"])
    def read_again(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        table, done = self.opts.db_table.removeprefix(desk.settings.table_prefix), 0
        try:
            for row in rows:
                done += desk.read_again(table, row.pk)
        except PaydeskError as error:
            self.message_user(request, str(error), messages.ERROR)
        self.message_user(request, f"{done} read from Stripe.", messages.SUCCESS if done else messages.WARNING)


class LetterAdmin(ReadOnlyAdmin):
    """What can be tried again."""

    actions = ("try_again",)
    list_filter = ("state",)

    @admin.action(description="Try again", permissions=["again"])
    def try_again(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        done = sum(self.retry(row) for row in rows)
        self.message_user(request, f"{done} will be tried again at once. What is done stays done.")

    def retry(self, row: Any) -> bool:
        """Make it due; answers whether it was not done already."""
        letters = Letters(desk.store, timezone.now)
        return letters.retry_event(row.id) if isinstance(row, models.Event) else letters.retry_effect(row.id)


@admin.register(models.Order)
class OrderAdmin(MirroredAdmin):
    list_display = ("id", "status", "sku", "quantity", "amount", "user_id", "email", "created_at")
    list_filter = ("status", "sku", "livemode", "created_at")
    search_fields = ("id", "user_id", "email", "session_id", "payment_intent_id")
    stripe_id = "payment_intent_id"


@admin.register(models.Subscription)
class SubscriptionAdmin(MirroredAdmin):
    list_display = ("id", "status", "plan", "seats", "amount", "user_id", "current_period_end", "created_at")
    list_filter = ("status", "plan", "livemode", "created_at")
    search_fields = ("id", "user_id", "customer_id")


@admin.register(models.Invoice)
class InvoiceAdmin(MirroredAdmin):
    list_display = ("number", "status", "amount", "user_id", "subscription_id", "created_at")
    list_filter = ("status", "livemode", "created_at")
    search_fields = ("id", "number", "user_id", "customer_id", "subscription__id")

    @admin.display(description="Amount", ordering="total_minor")
    def amount(self, row: Any) -> str:
        return show(row.total_minor, row.currency)


@admin.register(models.Customer)
class CustomerAdmin(MirroredAdmin):
    list_display = ("user_id", "email", "name", "stripe_id", "created_at")
    list_display_links = ("user_id", "email", "stripe_id")
    list_filter = ("livemode", "created_at")
    search_fields = ("user_id", "stripe_id", "email", "name")
    stripe_id = "stripe_id"


@admin.register(models.Payment)
class PaymentAdmin(MirroredAdmin):
    list_display = ("id", "status", "amount", "order_id", "invoice_id", "failure_code", "created_at")
    list_filter = ("status", "livemode", "created_at")
    search_fields = ("id", "order__id", "invoice__id", "charge_id", "customer_id")


@admin.register(models.Refund)
class RefundAdmin(MirroredAdmin):
    list_display = ("id", "status", "amount", "order_id", "reason", "created_at")
    list_filter = ("status", "created_at")
    search_fields = ("id", "order__id", "payment_intent_id")
    stripe_id = "payment_intent_id"


@admin.register(models.Dispute)
class DisputeAdmin(MirroredAdmin):
    list_display = ("id", "status", "amount", "order_id", "reason", "evidence_due_at", "created_at")
    list_filter = ("status", "livemode", "created_at")
    search_fields = ("id", "order__id", "payment_intent_id")


@admin.register(models.Product)
class ProductAdmin(MirroredAdmin):
    list_display = ("name", "id", "active", "created_at")
    list_filter = ("active", "livemode")
    search_fields = ("id", "name")


@admin.register(models.Price)
class PriceAdmin(MirroredAdmin):
    list_display = ("id", "lookup_key", "active", "amount", "billed_every", "product_id")
    list_filter = ("active", "livemode")
    search_fields = ("id", "lookup_key", "product__id")

    @admin.display(description="Amount", ordering="unit_amount_minor")
    def amount(self, row: Any) -> str:
        return show(row.unit_amount_minor, row.currency) if row.unit_amount_minor is not None else "–"


@admin.register(models.Event)
class EventAdmin(LetterAdmin):
    list_display = ("id", "type", "state", "object_id", "attempts", "received_at", "applied_at")
    search_fields = ("id", "type", "object_id", "lane")
    whole = ("last_error", "payload")


@admin.register(models.Effect)
class EffectAdmin(LetterAdmin):
    list_display = ("handler", "source", "state", "attempts", "created_at", "done_at")
    search_fields = ("handler", "source")
    whole = ("last_error",)
    stripe_id = "source"


@admin.register(models.Fact)
class FactAdmin(ReadOnlyAdmin):
    list_display = ("key", "type", "created_at")
    list_filter = ("type",)
    search_fields = ("key", "event_id")
    whole = ("body",)
    stripe_id = "event_id"


def _pretty(value: Any) -> str:
    if value is None:
        return "–"
    shown = json.dumps(without_secrets(value), indent=2, ensure_ascii=False)
    return format_html("<pre>{}</pre>", redact(shown))
