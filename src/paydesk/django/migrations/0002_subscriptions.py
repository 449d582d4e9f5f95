"""Subscriptions and invoices."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move, model


class Migration(migrations.Migration):
    dependencies = [("paydesk", "0001_one_time_payments")]
    operations = [
        Move("0002"),
        model("Subscription", "subscriptions", "-created_at"),
        model("SubscriptionItem", "subscription_items", "id"),
        model("Invoice", "invoices", "-created_at"),
    ]
