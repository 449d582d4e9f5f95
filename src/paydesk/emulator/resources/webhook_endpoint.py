"""Webhook endpoints: where events are delivered, which of them, and signed with which secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from paydesk.emulator.deliveries import secrets
from paydesk.emulator.deliveries.reach import is_this_machine
from paydesk.emulator.kernel import versions
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

ENDPOINTS_MAX = 16

WEBHOOK_ENDPOINT = Kind("webhook_endpoint", "we_", missing="No such webhook endpoint: '%s'", filters=("status",))


def _create(call: Call) -> dict[str, Any]:
    world, given = call.world, call.params
    if given.get("connect"):
        raise invalid(
            "The local Stripe does not model connected accounts yet: an endpoint for their events would get none.",
            param="connect",
        )
    _check_url(given["url"], livemode=world.livemode)
    _check_room(world)
    endpoint = Document(
        {
            "id": world.mint("we_"),
            "object": "webhook_endpoint",
            "api_version": given.get("api_version"),
            "application": None,
            "created": world.wall,
            "description": given.get("description"),
            "enabled_events": given["enabled_events"],
            "livemode": world.livemode,
            "metadata": metadata({}, given.get("metadata", {})),
            "status": "enabled",
            "url": given["url"],
        }
    )
    secret = secrets.give(world, endpoint)
    if versions.shown_as(endpoint["api_version"]) != endpoint["api_version"] is not None:
        call.without_effect = (*call.without_effect, "api_version")
    world.add(endpoint)
    return with_secret(endpoint, secret)


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    endpoint = world.get("webhook_endpoint", call.path["webhook_endpoint"])
    if "url" in given:
        _check_url(given["url"], livemode=world.livemode)
    for name in ("description", "enabled_events", "url"):
        if name in given:
            endpoint[name] = given[name]
    if "metadata" in given:
        endpoint["metadata"] = metadata(endpoint["metadata"], given["metadata"])
    if "disabled" in given:
        endpoint["status"] = "disabled" if given["disabled"] else "enabled"
    world.save(endpoint)
    return endpoint


def _delete(call: Call) -> dict[str, Any]:
    return call.world.delete(call.world.get("webhook_endpoint", call.path["webhook_endpoint"]))


def _check_url(url: str, *, livemode: bool) -> None:
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_complete = False
    if not is_complete:
        raise StripeError(
            "Invalid URL: An explicit scheme (such as https) must be provided.", code="url_invalid", param="url"
        )
    # Nobody listens in between here and here: a rehearsal of live mode may do without a certificate.
    if livemode and parts.scheme != "https" and not is_this_machine(url):
        raise StripeError("Invalid URL: URL must be HTTPS in live mode.", code="url_invalid", param="url")


def _check_room(world: World) -> None:
    (taken,) = world.db.execute(
        "SELECT count(*) FROM objects WHERE sandbox = ? AND kind = 'webhook_endpoint' AND deleted = 0",
        (world.sandbox.number,),
    ).fetchone()
    if taken >= ENDPOINTS_MAX:
        mode = "live" if world.livemode else "test"
        raise invalid(f"You have reached the maximum of {ENDPOINTS_MAX} {mode} webhook endpoints.")


def with_secret(endpoint: Document, secret: str) -> dict[str, Any]:
    """An endpoint as it is shown once, when its secret was made."""
    shown: dict[str, Any] = {}
    for name, value in endpoint.items():
        if name == "status":
            shown["secret"] = secret
        shown[name] = value
    return shown


_SETTABLE = words("description enabled_events metadata url")

KINDS = (WEBHOOK_ENDPOINT,)
ROUTES = (
    Route(
        "POST", "/v1/webhook_endpoints", _create, uses=_SETTABLE | words("api_version connect"), area="webhook_endpoint"
    ),
    retrieve("/v1/webhook_endpoints/{webhook_endpoint}", WEBHOOK_ENDPOINT),
    Route(
        "POST",
        "/v1/webhook_endpoints/{webhook_endpoint}",
        _update,
        uses=_SETTABLE | {"disabled"},
        area="webhook_endpoint",
    ),
    Route("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", _delete, area="webhook_endpoint"),
    listing("/v1/webhook_endpoints", WEBHOOK_ENDPOINT),
)
TASKS: dict[str, Any] = {}
