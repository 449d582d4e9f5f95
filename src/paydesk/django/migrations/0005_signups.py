"""Sign-ups: who is about to subscribe to what."""

from __future__ import annotations

from django.db import migrations

from paydesk.django.steps import Move, model


class Migration(migrations.Migration):
    dependencies = [("paydesk", "0004_walks")]
    operations = [
        Move("0005"),
        model("Signup", "signups", "-created_at"),
    ]
