"""Fuzzing the catalog file: what cannot be sold from is said line by line, and nothing else is raised."""

from __future__ import annotations

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paydesk.billing.catalog import Catalog
from paydesk.errors import CatalogError

HEADS = (
    "[products.ebook]",
    "[plans.pro]",
    "[plans]",
    "[meters.calls]",
    "[portal]",
    "[products.'']",
    "[[plans.pro]]",
    "[x]",
)
KEYS = (
    *("name", "price", "description", "quantity_max", "image", "seats_max", "seats", "trial_days", "features"),
    *("limits", "slot", "event_name", "every", "interval", "currency", "lookup_key", "metered", "hidden", "?"),
)
VALUES = (
    *('"$9/mo"', '"$9"', '"9 EUR/yr"', '"¥100"', '"$-1"', '"$0.001"', '"$9/eon"', '""', "0", "-1", "1.5", "nan"),
    *(
        "[]",
        '["$9/mo", "$90/yr"]',
        '[["$9"]]',
        "{}",
        '{ calls = "many" }',
        "true",
        "1979-05-27",
        "99999999999999999999",
    ),
)
LINES = st.one_of(
    st.sampled_from(HEADS),
    st.builds("{} = {}".format, st.sampled_from(KEYS), st.sampled_from(VALUES)),
    st.builds("{}: {} → {}".format, st.text(max_size=8), st.sampled_from(VALUES), st.text("STRIPE_PC", max_size=20)),
    st.text(max_size=30),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.lists(LINES, max_size=12).map("\n".join))
def test_a_catalog_is_sold_from_or_its_mistakes_are_listed(text: str) -> None:
    """A founder who mistypes is told what to change, and never shown a traceback."""
    with contextlib.suppress(CatalogError):
        Catalog.parse(text)
