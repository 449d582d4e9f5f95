"""What the last look at the whole mirror found."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move


class Migration(migrations.Migration):
    dependencies = [("paydesk", "0008_heard_at")]
    operations = [Move("0009")]
