"""Who pays, for which plan, and the invoices about it."""

from __future__ import annotations

from django.db import models

from paydesk.django.models.fields import MomentField, link
from paydesk.django.models.mirrored import PERMISSIONS, Mirrored, ReadOnly, table


class Customer(Mirrored):
    """Who pays: the app's user and Stripe's customer, linked."""

    id = models.BigAutoField(primary_key=True)
    user_id = models.TextField(null=True, unique=True)
    stripe_id = models.TextField(null=True, unique=True)
    email = models.TextField(null=True)
    name = models.TextField(null=True)
    livemode = models.BooleanField(null=True)
    created_at = MomentField()
    updated_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("customers")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.email or self.stripe_id or self.user_id or str(self.id)


class Subscription(Mirrored):
    """Who has which plan. A user may have several: one that is live in each slot, and those that are over."""

    id = models.TextField(primary_key=True)
    user_id = models.TextField(null=True)
    customer_id = models.TextField(null=True)
    slot = models.TextField()
    plan = models.TextField(null=True)
    status = models.TextField()
    seats = models.IntegerField()
    price_id = models.TextField(null=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.TextField(null=True)
    billed_every = models.TextField(null=True)
    current_period_start = MomentField(null=True)
    current_period_end = MomentField(null=True)
    trial_ends_at = MomentField(null=True)
    cancels_at = MomentField(null=True)
    past_due_since = MomentField(null=True)
    heard_at = MomentField(null=True)
    ended_at = MomentField(null=True)
    latest_invoice_id = models.TextField(null=True)
    default_payment_method_id = models.TextField(null=True)
    turns = models.IntegerField()
    livemode = models.BooleanField(null=True)
    created_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("subscriptions")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.plan or self.price_id} of {self.user_id or self.customer_id}"


class SubscriptionItem(ReadOnly):
    """What a subscription consists of, as it is now: an item that was removed is gone."""

    id = models.TextField(primary_key=True)
    subscription = link("Subscription", "items")
    plan = models.TextField(null=True)
    price_id = models.TextField(null=True)
    product_id = models.TextField(null=True)
    quantity = models.IntegerField(null=True)
    current_period_start = MomentField(null=True)
    current_period_end = MomentField(null=True)
    object = models.JSONField(null=True)

    class Meta(ReadOnly.Meta):
        db_table = table("subscription_items")
        default_permissions = PERMISSIONS
        ordering = ("id",)

    def __str__(self) -> str:
        return self.id


class Invoice(Mirrored):
    id = models.TextField(primary_key=True)
    user_id = models.TextField(null=True)
    customer_id = models.TextField(null=True)
    subscription = link("Subscription", "invoices")
    payment_intent_id = models.TextField(null=True)
    number = models.TextField(null=True)
    status = models.TextField()
    billing_reason = models.TextField(null=True)
    currency = models.TextField()
    total_minor = models.BigIntegerField()
    amount_due_minor = models.BigIntegerField()
    amount_paid_minor = models.BigIntegerField()
    amount_remaining_minor = models.BigIntegerField()
    attempt_count = models.IntegerField()
    next_attempt_at = MomentField(null=True)
    period_start = MomentField(null=True)
    period_end = MomentField(null=True)
    due_at = MomentField(null=True)
    paid_at = MomentField(null=True)
    hosted_invoice_url = models.TextField(null=True)
    invoice_pdf = models.TextField(null=True)
    livemode = models.BooleanField(null=True)
    created_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("invoices")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.number or self.id


class Signup(Mirrored):
    """Who set out to subscribe to what. `object` is the Checkout Session; a user has one open page for each slot."""

    id = models.TextField(primary_key=True)
    user_id = models.TextField()
    slot = models.TextField()
    plan = models.TextField()
    seats = models.IntegerField()
    billed_every = models.TextField()
    price_id = models.TextField()
    trial_days = models.IntegerField(null=True)
    promotion_codes = models.BooleanField()
    customer_id = models.TextField()
    status = models.TextField()
    session_id = models.TextField(null=True, unique=True)
    session_url = models.TextField(null=True)
    subscription_id = models.TextField(null=True)
    livemode = models.BooleanField()
    expires_at = MomentField(null=True)
    created_at = MomentField()
    updated_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("signups")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.plan} of {self.user_id}"


class Usage(ReadOnly):
    """What users used, as the app recorded it: once for each `key`."""

    id = models.TextField(primary_key=True)
    user_id = models.TextField()
    meter = models.TextField()
    quantity = models.BigIntegerField()
    key = models.TextField(null=True)
    livemode = models.BooleanField()
    used_at = MomentField()

    class Meta(ReadOnly.Meta):
        db_table = table("usage")
        default_permissions = PERMISSIONS
        ordering = ("-used_at",)
        verbose_name_plural = "usage"

    def __str__(self) -> str:
        return f"{self.quantity} {self.meter} of {self.user_id}"
