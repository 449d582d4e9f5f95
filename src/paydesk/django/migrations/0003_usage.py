"""What users used."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move, model


class Migration(migrations.Migration):
    dependencies = [("paydesk", "0002_subscriptions")]
    operations = [
        Move("0003"),
        model("Usage", "usage", "-used_at", verbose_name_plural="usage"),
    ]
