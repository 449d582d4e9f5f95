"""Processes: what an app or a worker finds in its environment when a test starts one of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.billing.inbox.deliveries import SECRET

if TYPE_CHECKING:
    from tests.billing.stand_in import StandIn

ROOT = Path(__file__).parents[2]


def environment(database_url: str, stripe: StandIn, folder: Path, *, modules_in: str) -> dict[str, str]:
    """The Secrets of an app that sells an e-book; its module is in that folder of `tests/billing`."""
    catalog = folder / "paydesk.toml"
    catalog.write_text('[products.ebook]\nname = "E-book"\nprice = "$19"\n')
    places = [ROOT / "src", ROOT, ROOT / "tests/billing" / modules_in]
    return os.environ | {
        "BASE_URL": "http://localhost:8000",
        "DATABASE_URL": database_url,
        "PAYDESK_CATALOG": str(catalog),
        "PYTHONPATH": os.pathsep.join(str(place) for place in places),
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_SECRET_KEY": "sk_test_standin",
        "STRIPE_WEBHOOK_SECRET": SECRET,
    }
