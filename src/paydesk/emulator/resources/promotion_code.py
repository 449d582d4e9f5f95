"""Promotion codes: what customers type to get a coupon, and who may, when, how often, from which amount on.

Among codes that can be redeemed by the same people, a text is there once, however it is
spelled. A code is never deleted: it is switched off, and its text is free again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.resources.coupon import at_least_one
from paydesk.emulator.rules import redeeming
from paydesk.emulator.rules.money import check_currency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from paydesk.emulator.kernel.world import World

GENERATED_CHARACTERS: Final = 8
_CODE: Final = re.compile(r"[A-Za-z0-9-]+")
LAPSE: Final = "promotion_code.lapse"

PROMOTION_CODE = Kind(
    "promotion_code",
    "promo_",
    filters=("active", "code", "customer", "promotion.coupon"),
    references={"customer": "customer", "promotion.coupon": "coupon"},
    includes={"restrictions.currency_options": lambda _world, code: code.private["minimums"] or None},
)


def spelled(world: World, text: str) -> Iterable[Document]:
    """The promotion codes of this text, in capitals or not."""
    spellings = world.db.execute(
        "SELECT DISTINCT value FROM links "
        "WHERE sandbox = ? AND kind = 'promotion_code' AND field = 'code' AND value = ? COLLATE NOCASE",
        (world.sandbox.number, text),
    ).fetchall()
    for (spelling,) in spellings:
        yield from world.having("promotion_code", "code", spelling)


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    identifier = given["promotion"].get("coupon")
    if not identifier:
        raise missing_param("promotion[coupon]")
    coupon = world.get("coupon", identifier, param="promotion[coupon]")
    customer = given.get("customer") and world.get("customer", given["customer"], param="customer").id
    restrictions = _restrictions(given.get("restrictions") or {})
    code = Document(
        {
            "id": world.mint("promo_"),
            "object": "promotion_code",
            "active": False,
            "code": _text(given.get("code")) or world.characters(GENERATED_CHARACTERS).upper(),
            "created": world.wall,
            "customer": customer or None,
            "customer_account": None,
            "expires_at": _expires_at(given, coupon, world.wall),
            "livemode": world.livemode,
            "max_redemptions": _max_redemptions(given, coupon),
            "metadata": metadata({}, given.get("metadata", {})),
            "promotion": {"coupon": coupon.id, "type": "coupon"},
            "restrictions": restrictions,
            "times_redeemed": 0,
        }
    )
    code.private = {
        "is_orphan": False,
        "is_switched_on": given.get("active", True),
        "minimums": _minimums(given.get("restrictions") or {}, restrictions["minimum_amount_currency"]),
    }
    code["active"] = redeeming.is_active(code, coupon, world.wall)
    _check_unique(world, code)
    if code["expires_at"] is not None:
        world.schedule(code["expires_at"], LAPSE, code.id, by_wall=True)
    return world.add(code, "promotion_code.created")


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    code = world.get("promotion_code", call.path["promotion_code"])
    if "metadata" in given:
        code["metadata"] = metadata(code["metadata"], given["metadata"])
    if "restrictions" in given:
        own = code["restrictions"]["minimum_amount_currency"]
        code.private["minimums"] |= _minimums(given["restrictions"] or {}, own)
    if "active" in given:
        code.private["is_switched_on"] = given["active"]
        code["active"] = redeeming.is_active(code, world.find("coupon", code["promotion"]["coupon"]), world.wall)
        if given["active"] and not code["active"]:
            raise invalid(
                "This promotion code cannot be activated: it, or its coupon, can no longer be redeemed.", param="active"
            )
        _check_unique(world, code)
    world.save(code, "promotion_code.updated")
    return code


def _list(call: Call) -> lists.Page:
    params = dict(call.params)
    if params.get("code"):
        params["code"] = [code["code"] for code in spelled(call.world, params["code"])] or params["code"]
    return lists.page(call.world, PROMOTION_CODE, call.url, params, narrowed_by=_FILTERS)


def _lapse(world: World, identifier: str) -> None:
    code = world.find("promotion_code", identifier)
    if code is not None:
        redeeming.refresh(world, code["promotion"]["coupon"])


def _text(given: str | None) -> str | None:
    if given and not _CODE.fullmatch(given):
        raise invalid("The promotion code can only contain letters, digits and dashes.", param="code")
    return given


def _check_unique(world: World, code: Document) -> None:
    """No customer may find two codes behind one text."""
    if not code["active"]:
        return
    for other in spelled(world, code["code"]):
        everybody = None in (code["customer"], other["customer"])
        if other is not code and other["active"] and (everybody or other["customer"] == code["customer"]):
            raise invalid(f"An active promotion code with `code: {code['code']}` already exists.", param="code")


def _expires_at(given: Mapping[str, Any], coupon: Document, now: int) -> int | None:
    moment: int | None = given.get("expires_at")
    if moment is not None and moment <= now:
        raise invalid("The `expires_at` timestamp must be in the future.", param="expires_at")
    if moment is not None and coupon["redeem_by"] is not None and moment > coupon["redeem_by"]:
        raise invalid("`expires_at` cannot be after the coupon's `redeem_by`.", param="expires_at")
    return moment


def _max_redemptions(given: Mapping[str, Any], coupon: Document) -> int | None:
    most = at_least_one(given, "max_redemptions")
    if most is not None and coupon["max_redemptions"] is not None and most > coupon["max_redemptions"]:
        raise invalid(
            "`max_redemptions` cannot be greater than the coupon's `max_redemptions`.", param="max_redemptions"
        )
    return most


def _restrictions(given: Mapping[str, Any]) -> dict[str, Any]:
    amount = at_least_one(given, "minimum_amount", param="restrictions[minimum_amount]")
    currency = given.get("minimum_amount_currency")
    if (amount is None) != (currency is None):
        raise missing_param(f"restrictions[{'minimum_amount' if amount is None else 'minimum_amount_currency'}]")
    return {
        "first_time_transaction": given.get("first_time_transaction", False),
        "minimum_amount": amount,
        "minimum_amount_currency": currency and check_currency(currency, param="restrictions[minimum_amount_currency]"),
    }


def _minimums(given: Mapping[str, Any], own: str | None) -> dict[str, Any]:
    """The least amounts in further currencies; the own one is said in `minimum_amount`."""
    found = {}
    for currency, option in (given.get("currency_options") or {}).items():
        param = f"restrictions[currency_options][{currency}]"
        lowered = check_currency(currency, param=param)
        if own is None or lowered == own:
            raise invalid(
                "Each currency must be another than `minimum_amount_currency`, which must be set.", param=param
            )
        found[lowered] = {"minimum_amount": at_least_one(option, "minimum_amount", param=f"{param}[minimum_amount]")}
    return found


_FILTERS = ("active", "code", "coupon=promotion.coupon", "customer", "customer_account")
_AREA = "promotion_code"

KINDS = (PROMOTION_CODE,)
ROUTES = (
    Route(
        "POST",
        "/v1/promotion_codes",
        _create,
        uses=words("active code customer expires_at max_redemptions metadata promotion restrictions"),
        refuses={"customer_account": "everybody could redeem the code."},
        area=_AREA,
    ),
    retrieve("/v1/promotion_codes/{promotion_code}", PROMOTION_CODE),
    Route(
        "POST",
        "/v1/promotion_codes/{promotion_code}",
        _update,
        uses=words("active metadata restrictions"),
        area=_AREA,
    ),
    Route(
        "GET",
        "/v1/promotion_codes",
        _list,
        uses=words("active code coupon created customer customer_account ending_before limit starting_after"),
        area=_AREA,
    ),
)
TASKS: dict[str, Any] = {LAPSE: _lapse}
