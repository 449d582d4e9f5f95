"""Portal configurations: what customers may see and do on the customer portal.

The default one, which sessions use that name none, is made by saving the portal's settings
in the Dashboard, here by `POST /_local/settings/portal`. What the API makes is never the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document, to_text
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.resources import billing_portal_features as features
from paydesk.emulator.rules.addresses import check_url

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

CONFIGURATION = Kind(
    "billing_portal.configuration",
    "bpc_",
    missing="No such configuration: '%s'",
    filters=("active", "is_default"),
    includes={"features.subscription_update.products": features.shown_products},
)
_SETTINGS: Final = {
    False: ("test", "https://dashboard.stripe.com/test/settings/billing/portal"),
    True: ("live", "https://dashboard.stripe.com/settings/billing/portal"),
}
_TEXTS: Final = ("headline", "privacy_policy_url", "terms_of_service_url")


def for_session(world: World, asked: str | None) -> Document:
    """The configuration a new session uses: the one it names, or the default.

    Raises:
        StripeError: 400 where there is none, or it is switched off.
    """
    if asked is None:
        default = _default(world)
        if default is not None:
            return default
        mode, settings = _SETTINGS[world.livemode]
        raise invalid(
            f"No configuration provided and your {mode} mode default configuration has not been created. Provide a "
            f"configuration or create your default by saving your customer portal settings in {mode} mode at "
            f"{settings}."
        )
    found = world.get("billing_portal.configuration", asked, param="configuration")
    if not found["active"]:
        raise invalid(f"The configuration {found.id} is not active.", param="configuration")
    return found


def save_settings(world: World) -> Document:
    """Press "Save" on the portal's settings in the Dashboard: there is a default configuration afterwards."""
    default = _default(world)
    if default is not None:
        return default
    return _add(world, _shaped(world, {"features": features.SAVED_FIRST}, is_default=True))


def _default(world: World) -> Document | None:
    return world.first("billing_portal.configuration", "is_default", "true")


def _shaped(world: World, given: dict[str, Any], *, is_default: bool = False) -> Document:
    profile = given.get("business_profile") or {}
    wanted = features.merged(given["features"])
    products = (given["features"].get("subscription_update") or {}).get("products")
    return Document(
        {
            "id": world.mint("bpc_"),
            "object": "billing_portal.configuration",
            "active": True,
            "application": None,
            "business_profile": {name: profile.get(name) for name in _TEXTS},
            "created": world.wall,
            "default_return_url": given.get("default_return_url"),
            "features": wanted,
            "is_default": is_default,
            "livemode": world.livemode,
            "login_page": {"enabled": False, "url": None},
            "metadata": metadata({}, given.get("metadata", {})),
            "name": given.get("name"),
            "updated": world.wall,
        },
        {"products": features.products(world, products or ())},
    )


def _add(world: World, configuration: Document) -> Document:
    features.check(configuration["features"])
    return world.add(configuration, "billing_portal.configuration.created")


def _create(call: Call) -> Document:
    _check_urls(call.params)
    configuration = _shaped(call.world, call.params)
    call.echo(configuration)
    return _add(call.world, configuration)


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    configuration = world.get("billing_portal.configuration", call.path["configuration"])
    before = to_text([configuration, configuration.private])
    _check_urls(given)
    if given.get("active") is False and configuration["is_default"]:
        raise invalid("The default configuration cannot be deactivated.", param="active")
    for name in words("active default_return_url name") & given.keys():
        configuration[name] = given[name]
    configuration["business_profile"] |= given.get("business_profile") or {}
    if "metadata" in given:
        configuration["metadata"] = metadata(configuration["metadata"], given["metadata"])
    wanted = given.get("features") or {}
    configuration["features"] = features.merged(wanted, configuration["features"])
    features.check(configuration["features"])
    if "products" in (wanted.get("subscription_update") or {}):
        configuration.private["products"] = features.products(world, wanted["subscription_update"]["products"] or ())
    call.echo(configuration)
    if to_text([configuration, configuration.private]) != before:
        # The products are not shown unless asked for: that they changed is news all the same.
        configuration["updated"] = world.wall
        previous = world.save(configuration)
        world.emit("billing_portal.configuration.updated", configuration, previous)
    return configuration


def _check_urls(given: dict[str, Any]) -> None:
    profile = given.get("business_profile") or {}
    for name in ("privacy_policy_url", "terms_of_service_url"):
        if profile.get(name) is not None:
            check_url(profile[name], param=f"business_profile[{name}]")
    if given.get("default_return_url") is not None:
        check_url(given["default_return_url"], param="default_return_url")


_AREA = "customer_portal"
_PATH = "/v1/billing_portal/configurations/{configuration}"
_FEATURES = frozenset(
    f"features.{name}"
    for name in words(
        "customer_update invoice_history payment_method_update.enabled subscription_cancel subscription_pause "
        "subscription_update"
    )
)
_SETTABLE = _FEATURES | words("business_profile default_return_url metadata name")
_REFUSED = {
    "features.subscription_cancel.cancellation_reason.feedback_options": "feedback options of one's own are not "
    "modelled, so customers could not choose them.",
}

KINDS = (CONFIGURATION,)
ROUTES = (
    Route("POST", "/v1/billing_portal/configurations", _create, uses=_SETTABLE, refuses=_REFUSED, area=_AREA),
    retrieve(_PATH, CONFIGURATION),
    Route("POST", _PATH, _update, uses=_SETTABLE | {"active"}, refuses=_REFUSED, area=_AREA),
    listing("/v1/billing_portal/configurations", CONFIGURATION, filters="active is_default"),
)
TASKS: dict[str, Any] = {}
