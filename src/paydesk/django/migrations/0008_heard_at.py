"""Subscriptions: the latest time at Stripe that is known, by which days of grace run out."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move


class Migration(migrations.Migration):
    dependencies = [("paydesk", "0007_relay")]
    operations = [Move("0008")]
