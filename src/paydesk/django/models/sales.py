"""What is sold, and the money that moved for it."""

from __future__ import annotations

from django.db import models

from paydesk.django.models.fields import MomentField, link
from paydesk.django.models.mirrored import PERMISSIONS, Mirrored, table


class Product(Mirrored):
    id = models.TextField(primary_key=True)
    name = models.TextField()
    active = models.BooleanField()
    livemode = models.BooleanField(null=True)
    created_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("products")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name


class Price(Mirrored):
    id = models.TextField(primary_key=True)
    product = link("Product", "prices")
    lookup_key = models.TextField(null=True)
    active = models.BooleanField()
    type = models.TextField()
    currency = models.TextField()
    unit_amount_minor = models.BigIntegerField(null=True)
    billed_every = models.TextField(null=True)
    livemode = models.BooleanField(null=True)
    created_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("prices")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.lookup_key or self.id


class Order(Mirrored):
    """The ledger: one row per thing somebody set out to buy. `object` is its Checkout Session."""

    id = models.TextField(primary_key=True)
    user_id = models.TextField(null=True)
    email = models.TextField(null=True)
    sku = models.TextField()
    quantity = models.IntegerField()
    amount_minor = models.BigIntegerField()
    currency = models.TextField()
    status = models.TextField()
    session_id = models.TextField(null=True, unique=True)
    session_url = models.TextField(null=True)
    payment_intent_id = models.TextField(null=True)
    charge_id = models.TextField(null=True)
    customer_id = models.TextField(null=True)
    amount_refunded_minor = models.BigIntegerField()
    disputed = models.BooleanField()
    livemode = models.BooleanField(null=True)
    expires_at = MomentField(null=True)
    paid_at = MomentField(null=True)
    created_at = MomentField()
    updated_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("orders")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.sku} {self.id}"


class Payment(Mirrored):
    """Money asked for: a payment intent with its latest charge (or a charge alone, where an app makes those)."""

    id = models.TextField(primary_key=True)
    order = link("Order", "payments")
    invoice = link("Invoice", "payments")
    charge_id = models.TextField(null=True)
    customer_id = models.TextField(null=True)
    status = models.TextField()
    amount_minor = models.BigIntegerField()
    amount_received_minor = models.BigIntegerField()
    amount_refunded_minor = models.BigIntegerField()
    currency = models.TextField()
    failure_code = models.TextField(null=True)
    failure_message = models.TextField(null=True)
    livemode = models.BooleanField(null=True)
    created_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("payments")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.id


class Refund(Mirrored):
    id = models.TextField(primary_key=True)
    order = link("Order", "refunds")
    payment_intent_id = models.TextField(null=True)
    charge_id = models.TextField(null=True)
    status = models.TextField()
    amount_minor = models.BigIntegerField()
    currency = models.TextField()
    reason = models.TextField(null=True)
    created_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("refunds")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.id


class Dispute(Mirrored):
    id = models.TextField(primary_key=True)
    order = link("Order", "disputes")
    payment_intent_id = models.TextField(null=True)
    charge_id = models.TextField(null=True)
    status = models.TextField()
    amount_minor = models.BigIntegerField()
    currency = models.TextField()
    reason = models.TextField(null=True)
    evidence_due_at = MomentField(null=True)
    livemode = models.BooleanField(null=True)
    created_at = MomentField()

    class Meta(Mirrored.Meta):
        db_table = table("disputes")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.id
