"""The relay: which facts other services have been told of."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move


class Migration(migrations.Migration):
    dependencies = [("paydesk", "0006_dead_letters")]
    operations = [Move("0007")]
