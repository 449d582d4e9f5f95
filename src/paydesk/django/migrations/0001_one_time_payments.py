"""One-time payments: orders, the money for them, and the inbox."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move, model


class Migration(migrations.Migration):
    initial = True
    operations = [
        Move("0001"),
        model("Product", "products", "-created_at"),
        model("Price", "prices", "-created_at"),
        model("Customer", "customers", "-created_at", number="id"),
        model("Order", "orders", "-created_at"),
        model("Payment", "payments", "-created_at"),
        model("Refund", "refunds", "-created_at"),
        model("Dispute", "disputes", "-created_at"),
        model("Event", "events", "-seq", number="seq"),
        model("Fact", "facts", "-seq", number="seq"),
        model("Effect", "effects", "-created_at", number="id"),
    ]
