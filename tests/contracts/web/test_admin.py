"""The admin page's door, in every framework: closed unless opened, and then to those alone whom the app lets in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paydesk.billing.web.admin.admin import PATH, ROOMS
from tests.contracts.web.app import BASE_URL

if TYPE_CHECKING:
    from tests.contracts.web.app import Shop


def open_to_ada(shop: Shop) -> None:
    shop.desk.admin(allow=lambda user: str(user.id) == "ada")


def dead_letter(shop: Shop) -> dict[str, Any]:
    """A handler's work that was given up."""
    now, table = datetime.now(UTC), shop.desk.store.tables.effects
    row = {"source": "fact:order.paid:ord_1", "handler": "shop.deliver", "state": "dead", "attempts": 20}
    with shop.desk.store.write() as connection:
        connection.execute(table.insert().values(**row, next_at=now, created_at=now, last_error="It is away."))
    return shop.rows(table)[0]


def test_there_is_no_admin_page_unless_the_app_opens_it(shop: Shop) -> None:
    """Whoever asks, and wherever: an address that leads nowhere."""
    answers = [shop.visitor("ada").get(f"{PATH}{room.path}").status for room in ROOMS]

    assert answers == [404] * len(ROOMS)


def test_only_whom_the_app_lets_in_sees_it(shop: Shop) -> None:
    """Whoever is not signed in is asked to; for everybody else it is not there."""
    open_to_ada(shop)

    ada, bob, stranger = (shop.visitor(user).get(PATH) for user in ("ada", "bob", None))

    assert (ada.status, bob.status, stranger.status) == (200, 404, 401)
    assert ada.headers["cache-control"] == "no-store"
    assert ada.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert ada.headers["content-security-policy"].endswith("frame-ancestors 'none'")
    assert "Overview" not in bob.text + stranger.text


def test_a_dead_letter_is_read_and_tried_again(shop: Shop) -> None:
    """By a button in a form, which leads back to where one was."""
    open_to_ada(shop)
    effect, ada = dead_letter(shop), shop.visitor("ada")
    read = ada.get(f"{PATH}/effect?id={effect['id']}")

    sent = ada.post(f"{PATH}/effect", form={"id": effect["id"]}, headers={"Origin": BASE_URL})

    back = ada.get(sent.headers["location"])
    (tried,) = shop.rows(shop.desk.store.tables.effects)
    assert "It is away." in read.text
    assert sent.status == 303
    assert sent.headers["location"].startswith(f"{BASE_URL}{PATH}/effect?")
    assert "It will be tried again at once." in back.text
    assert (tried["state"], tried["attempts"]) == ("waiting", 0)


def test_another_website_s_form_does_nothing(shop: Shop) -> None:
    """Nor does one that somebody sends who may not see the page."""
    open_to_ada(shop)
    form = {"id": dead_letter(shop)["id"]}

    foreign = shop.visitor("ada").post(f"{PATH}/effect", form=form, headers={"Origin": "https://evil.example"})
    not_allowed = shop.visitor("bob").post(f"{PATH}/effect", form=form, headers={"Origin": BASE_URL})
    too_large = shop.visitor("ada").post(f"{PATH}/effect", form={"id": "1" * 20_000}, headers={"Origin": BASE_URL})

    assert (foreign.status, not_allowed.status, too_large.status) == (403, 404, 413)
    assert [row["state"] for row in shop.rows(shop.desk.store.tables.effects)] == ["dead"]
