"""How far each walk through Stripe's lists has come."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move


class Migration(migrations.Migration):
    dependencies = [("paydesk", "0003_usage")]
    operations = [
        Move("0004"),
    ]
