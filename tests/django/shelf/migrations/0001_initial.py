from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Copy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("order_id", models.TextField()),
                ("note", models.TextField(default="")),
            ],
        ),
        migrations.CreateModel(
            name="Team",
            fields=[("code", models.TextField(primary_key=True, serialize=False)), ("email", models.EmailField())],
        ),
    ]
