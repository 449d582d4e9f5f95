"""`paydesk verify`: a proof that ends with a number, and says what is not so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

if TYPE_CHECKING:
    from tests.billing.owner import Owner


def test_a_true_mirror_ends_with_nought_and_a_damaged_one_does_not(owner: Owner) -> None:
    """A shell knows by the code, a person by the diff, a program by the JSON."""
    owner.sells()
    owner.runs("sync")
    products = owner.till.desk.store.tables.products

    true = owner.runs("verify")
    with owner.till.desk.store.write() as connection:
        connection.execute(update(products).where(products.c.name == "Mug").values(name="Jug", active=False))
    damaged = owner.runs("verify", "--table", "products")
    for_programs = owner.reads("verify", "--table", "products", code=1)
    repaired = owner.runs("verify", "--table", "products", "--repair")
    silent = owner.runs("verify", STRIPE_API_BASE="http://127.0.0.1:9")

    assert (true.returncode, true.stderr) == (0, "")
    assert true.stdout.endswith("all is true.\n")
    assert damaged.returncode == 1
    assert '    name: "Jug" here, "Mug" at Stripe\n' in damaged.stdout
    assert "    active: false here, true at Stripe\n" in damaged.stdout
    assert "--repair" in damaged.stdout
    assert (for_programs["is_true"], len(for_programs["drifts"])) == (False, 1)
    assert (repaired.returncode, "1 repaired" in repaired.stdout) == (0, True)
    assert (silent.returncode, "Traceback" in silent.stderr) == (3, False)
    assert "Stripe could not be asked" in silent.stderr
