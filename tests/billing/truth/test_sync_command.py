"""`paydesk sync`, as a shop's owner calls it after a bad night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from tests.waiting import until

if TYPE_CHECKING:
    import stripe

    from tests.billing.owner import Owner


def test_an_order_whose_webhooks_were_lost_is_paid_afterwards(owner: Owner) -> None:
    """One command, and what was paid for is paid here too."""
    order_id = owner.sells()

    ended = owner.runs("sync")
    again = owner.runs("sync")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "had never arrived, and are here now." in ended.stdout
    assert [line.endswith("looked at: all here.") for line in again.stdout.splitlines()] == [True, True]
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


def test_a_sync_that_is_killed_goes_on_where_it_was(owner: Owner, client: stripe.StripeClient) -> None:
    """As a power cut would, in the middle of a list: the next one ends as if nothing had happened."""
    for number in range(103):
        client.v1.customers.create({"email": f"{number}@example.com"})
    order_id = owner.sells()
    second_page, wire = r"GET /v1/customers\?.*starting_after", owner.till.wire
    with wire.held(second_page):
        killed = owner.starts("sync")
        until(lambda: wire.sent(second_page), "the second page of customers")
        killed.kill()
        killed.communicate()
    sightings = owner.till.rows(owner.till.desk.store.tables.sightings)
    assert len([row for row in sightings if row["walk"] == "customers"]) == 100
    lanes = owner.till.desk.store.tables.lanes
    with owner.till.desk.store.write() as connection:
        connection.execute(update(lanes).values(lease_expires_at=None))  # half a minute later

    ended = owner.starts("sync")
    _, said = ended.communicate()
    again = owner.reads("sync")

    assert (ended.returncode, said) == (0, "")
    assert again["found"] == 0
    assert {"paid"} == {row["status"] for row in owner.till.orders if row["id"] == order_id}
    assert len(owner.till.customers) == 103
