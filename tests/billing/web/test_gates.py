"""What is FastAPI's own about gates: they are dependencies, made when the app is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.errors import UnknownFeature

if TYPE_CHECKING:
    from tests.billing.web.conftest import Site


def test_a_misspelt_gate_keeps_the_app_from_starting(site: Site) -> None:
    """Not from one day letting somebody in, or out."""
    with pytest.raises(UnknownFeature):
        site.desk.require("exprot")
