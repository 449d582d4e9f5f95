"""Portal sessions: a short-lived address under which one customer sees to their own billing.

Nobody logs in: whoever has the address is the customer. So it cannot be guessed, lasts five
minutes unless it is opened, and an hour after it was last used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import missing_param
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.resources import billing_portal_card as portal_card
from paydesk.emulator.resources import billing_portal_configuration as configurations
from paydesk.emulator.resources import billing_portal_flow, billing_portal_plan
from paydesk.emulator.rules.addresses import check_url

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

SESSION = Kind(
    "billing_portal.session",
    "bps_",
    references={"configuration": "billing_portal.configuration"},
)
UNUSED_SECONDS_MAX: Final = 5 * 60
IDLE_SECONDS_MAX: Final = 60 * 60
_SECRET_LENGTH: Final = 40


def is_over(session: Document, now: int) -> bool:
    """Whether a session's address opens nothing any more."""
    return bool(session.private["open_until"] <= now)


def touch(world: World, session: Document) -> None:
    """Somebody is using the session: it lasts another hour."""
    session.private["open_until"] = world.wall + IDLE_SECONDS_MAX
    world.save(session)


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    if not given.get("customer"):
        raise missing_param("customer")
    customer = world.get("customer", given["customer"], param="customer")
    configuration = configurations.for_session(world, given.get("configuration"))
    return_url = given.get("return_url") or configuration["default_return_url"]
    if return_url is None:
        raise missing_param("return_url")
    check_url(return_url, param="return_url")
    flow = given.get("flow_data")
    identifier = world.mint(SESSION.prefix)
    secret = identifier.removeprefix(SESSION.prefix) + world.characters(_SECRET_LENGTH)
    session = Document(
        {
            "id": identifier,
            "object": "billing_portal.session",
            "after_expiration": _after_expiration(given.get("after_expiration")),
            "configuration": configuration.id,
            "created": world.wall,
            "customer": customer.id,
            "customer_account": None,
            "flow": None if flow is None else billing_portal_flow.flow(world, flow, configuration, customer),
            "livemode": world.livemode,
            "locale": given.get("locale"),
            "on_behalf_of": None,
            "return_url": return_url,
            "url": f"{world.base_url}/p/session/{'live' if world.livemode else 'test'}_{secret}",
        },
        {"open_until": world.wall + UNUSED_SECONDS_MAX, "secret": secret},
    )
    return world.add(session, "billing_portal.session.created")


def _after_expiration(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    login = given.get("customer_login")
    return {
        "customer_login": None if login is None else {"expires_at": login.get("expires_at")},
        "type": given["type"],
    }


KINDS = (SESSION,)
ROUTES = (
    Route(
        "POST",
        "/v1/billing_portal/sessions",
        _create,
        uses=words("configuration customer flow_data return_url"),
        refuses={
            "customer_account": "the session would belong to nobody.",
            "on_behalf_of": "the customer would see subscriptions and invoices of other accounts.",
        },
        area="customer_portal",
    ),
)
TASKS: dict[str, Any] = {
    billing_portal_plan.GO_ON: billing_portal_plan.resume_when_due,
    portal_card.KEEP: portal_card.keep,
}
