"""Dead letters: found at once."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move


class Migration(migrations.Migration):
    dependencies = [("paydesk", "0005_signups")]
    operations = [Move("0006")]
