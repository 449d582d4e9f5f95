"""`paydesk sync`, as a shop's owner calls it after a bad night."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.billing.owner import Owner


def test_an_order_whose_webhooks_were_lost_is_paid_afterwards(owner: Owner) -> None:
    """One command, and what was paid for is paid here too."""
    order_id = owner.sells()

    ended = owner.runs("sync")
    again = owner.runs("sync")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "had never arrived and are here now." in ended.stdout
    assert again.stdout.endswith("looked at, all here.\n")
    assert owner.till.desk.order(order_id).status == "paid"


def test_programs_get_json(owner: Owner) -> None:
    """With the numbers that people get in words."""
    owner.sells()

    synced = owner.reads("sync")

    assert synced["events_looked_at"] >= synced["events_found"] > 0


def test_what_cannot_be_is_said_in_a_sentence(owner: Owner) -> None:
    """And what to do about it; never a traceback."""
    silent = owner.runs("sync", STRIPE_API_BASE="http://127.0.0.1:9")
    unset = owner.runs("sync", STRIPE_SECRET_KEY="")

    for ended in (silent, unset):
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
    assert "Stripe could not be asked" in silent.stderr
    assert "STRIPE_SECRET_KEY is missing" in unset.stderr
