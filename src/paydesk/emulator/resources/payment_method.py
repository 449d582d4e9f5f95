"""Payment methods: what somebody pays with, on its own or kept with a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.kernel.fields import address, metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.resources import card
from paydesk.emulator.rules import bank_debits, bank_entry, card_entry, cards
from paydesk.emulator.rules.bank_debits import BankAccount
from paydesk.emulator.rules.card_entry import Entry
from paydesk.emulator.rules.instrument import Instrument

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

PAYMENT_METHOD = Kind(
    "payment_method",
    "pm_",
    missing=(
        "No such PaymentMethod: '%s'; It's possible this PaymentMethod exists on one of your connected accounts, in "
        "which case you should retry this request on that connected account. Learn more at "
        "https://stripe.com/docs/connect/authentication"
    ),
    missing_param="payment_method",
    filters=("customer", "type", "allow_redisplay"),
    references={"customer": "customer"},
)

SPENT: Final = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again. "
    "To use a PaymentMethod multiple times, you must attach it to a Customer first."
)
_MAGIC_CARD: Final = "pm_card_"


def new(world: World, given: dict[str, Any], *, param: str = "") -> Document:
    """A payment method from what was typed; kept, and nobody's yet.

    `given` holds `type`, `card`, `billing_details`, `metadata` and `allow_redisplay`, as the API and the pages take
    them; `param` is where they stand in the request (`payment_method_data`).
    """
    if given.get("type") is None:
        raise missing_param(_below(param, "type"))
    kind = given["type"]
    # No debit is rehearsed in live mode: there are no accounts but test accounts.
    if kind != "card" and (kind not in bank_entry.TYPES or world.livemode):
        raise _not_here(kind, _below(param, "type"))
    typed = given.get(kind)
    if not isinstance(typed, dict):
        raise missing_param(_below(param, kind))
    billing = billing_details(given.get("billing_details"))
    made = _typed_card(world, typed, billing, param) if kind == "card" else _typed_account(world, given, billing, param)
    made["allow_redisplay"] = given.get("allow_redisplay") or "unspecified"
    made["metadata"] = metadata({}, given.get("metadata", {}))
    return world.add(made)


def _typed_account(world: World, given: dict[str, Any], billing: dict[str, Any], param: str) -> Document:
    kind = given["type"]
    # A debit needs somebody who agreed to it.
    for name in ("name", "email") if kind == "sepa_debit" else ("name",):
        if not billing[name]:
            raise missing_param(_below(param, f"billing_details[{name}]"))
    account = bank_entry.read(kind, given[kind], param=_below(param, kind))
    return _of_account(world, account, billing, given[kind])


def _typed_card(world: World, typed: dict[str, Any], billing: dict[str, Any], param: str) -> Document:
    if "token" in typed:
        if "number" in typed:
            raise exclusive(_below(param, "card[token]"), _below(param, "card[number]"))
        source = card.from_token(world, typed["token"], param=_below(param, "card[token]"))
        entry = _entry_of(source)
        billing = _with_token_address(billing, source)
    else:
        # Stripe refuses raw numbers from servers unless the account may send them; here the hosted page and local
        # tests do, and no number of a real card gets past the table of test cards.
        entry = card_entry.read(typed, world.wall, livemode=world.livemode, param=_below(param, "card"))
    return _of_card(world, entry, billing)


def named(world: World, identifier: str, *, param: str | None = "payment_method") -> Document:
    """The payment method a request names; a magic id makes a new one each time. `param` is None for one in the path."""
    if not world.livemode and identifier.startswith(_MAGIC_CARD):
        known = cards.by_alias(identifier.removeprefix(_MAGIC_CARD))
        if known is not None:
            return world.add(_of_card(world, card_entry.template(known, world.wall), billing_details(None)))
    account = None if world.livemode else bank_debits.by_alias(identifier.removeprefix("pm_"))
    if account is not None:
        holder = billing_details({"name": "Jenny Rosen", "email": "jenny@example.com"})
        return world.add(_of_account(world, account, holder, {}))
    return world.get("payment_method", identifier, param=param)


def of_source(world: World, source: Document) -> Document:
    """A customer's legacy card as the payment method of the same id that newer objects charge."""
    known = world.find("payment_method", source.id)
    if known is not None:
        return known
    made = _of_card(world, _entry_of(source), _with_token_address(billing_details(None), source))
    made["id"], made["customer"] = source.id, source["customer"]
    return world.add(made)


def attach(world: World, method: Document, customer: Document) -> None:
    """Keep a payment method with a customer. The bank is asked first, and may decline with 402."""
    if method["customer"] == customer.id:
        return
    if method["customer"] is not None:
        raise invalid("The payment method you provided has already been attached to a customer.")
    check_unspent(method)
    if method["type"] == "card":
        decline = cards.of(method.private).at_attach
        if decline is not None:
            raise _declined_at_attach(decline.error())
    keep(world, method, customer)


def keep(world: World, method: Document, customer: Document) -> None:
    """Note that a payment method, which the bank has just accepted, is the customer's from now on."""
    if method["customer"] is not None:
        return
    method["customer"] = customer.id
    if method["type"] == "card":
        method["card"]["checks"] = checks(method)
    world.save(method)
    world.emit("payment_method.attached", method)


def check_unspent(method: Document) -> None:
    """Refuse what was used up by a payment nobody's customer made."""
    if method.private.get("is_spent"):
        raise invalid(SPENT, param="payment_method")


def spend(world: World, method: Document) -> None:
    """A payment used this: without a customer it cannot be used again."""
    if method["customer"] is None:
        method.private["is_spent"] = True
        world.save(method)


def instrument(method: Document) -> Instrument:
    """What is charged when this is paid with: the bank has been asked by then."""
    shown = dict(method[method["type"]])
    if method["type"] == "card":
        shown["checks"] = checks(method)
    return Instrument(method.id, method["type"], shown, method["billing_details"], method.private)


def checks(method: Document) -> dict[str, str | None]:
    """What the bank said of the security code and the address, once it was asked."""
    answers = cards.of(method.private).checks
    where = method["billing_details"]["address"]
    return {
        "address_line1_check": answers.line1 if where["line1"] else None,
        "address_postal_code_check": answers.postal_code if where["postal_code"] else None,
        "cvc_check": answers.cvc if method.private.get("has_cvc") else None,
    }


def billing_details(given: dict[str, Any] | None, old: dict[str, Any] | None = None) -> dict[str, Any]:
    """Billing details with every part there; an update changes only the parts it sends."""
    given, old = given or {}, old or {}
    where = given.get("address", {})
    return {
        "address": address({}) if where is None else address(where, old.get("address")),
        **{part: given.get(part, old.get(part)) for part in ("email", "name", "phone", "tax_id")},
    }


def _of_account(world: World, account: BankAccount, billing: dict[str, Any], given: dict[str, Any]) -> Document:
    shown = bank_entry.shown(account, given, card.fingerprint(world, account.number))
    return _shaped(world, account.type, shown, billing, {"account": account.number})


def _of_card(world: World, entry: Entry, billing: dict[str, Any]) -> Document:
    plastic = entry.card
    asked = {part: "unchecked" if billing["address"][part] else None for part in ("line1", "postal_code")}
    shown = {
        "brand": plastic.brand,
        "checks": {
            "address_line1_check": asked["line1"],
            "address_postal_code_check": asked["postal_code"],
            "cvc_check": "unchecked" if entry.has_cvc else None,
        },
        "country": plastic.country,
        "display_brand": plastic.brand,
        "exp_month": entry.exp_month,
        "exp_year": entry.exp_year,
        "fingerprint": card.fingerprint(world, plastic.number),
        "funding": plastic.funding,
        "generated_from": None,
        "last4": plastic.last4,
        "networks": {"available": [plastic.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": plastic.knows_3d_secure},
        "wallet": None,
    }
    return _shaped(world, "card", shown, billing, {"number": plastic.number, "has_cvc": entry.has_cvc})


def _shaped(
    world: World, kind: str, shown: dict[str, Any], billing: dict[str, Any], private: dict[str, Any]
) -> Document:
    public = {
        "allow_redisplay": "unspecified",
        "billing_details": billing,
        kind: shown,
        "created": world.wall,
        "customer": None,
        "customer_account": None,
        "livemode": world.livemode,
        "metadata": {},
        "type": kind,
    }
    ordered = {name: public[name] for name in sorted(public)}
    return Document({"id": world.mint("pm_"), "object": "payment_method", **ordered}, private)


def _entry_of(source: Document) -> Entry:
    plastic = cards.of(source.private)
    if plastic is cards.UNKNOWN:
        plastic = cards.Card(source["last4"], brand=source.private["brand"])
    return Entry(plastic, source["exp_month"], source["exp_year"], source.private["has_cvc"])


def _with_token_address(billing: dict[str, Any], source: Document) -> dict[str, Any]:
    """The holder's name and address from a token, where the request gives no others."""
    where = {part: billing["address"][part] or old for part, old in card.address_of(source).items()}
    return billing | {"address": where, "name": billing["name"] or source["name"]}


def _declined_at_attach(refusal: StripeError) -> StripeError:
    # Seen in recorded answers: here, and only here, the param is there and empty.
    refusal.param = ""
    return refusal


def _not_here(wanted: str, param: str) -> StripeError:
    return invalid(
        f"The local Stripe does not model payment methods of type `{wanted}` yet; they would go into "
        "emulator/resources/payment_method.py.",
        param=param,
    )


def _below(param: str, name: str) -> str:
    if not param:
        return name
    first, bracket, rest = name.partition("[")
    return f"{param}[{first}]{bracket}{rest}"


def _create(call: Call) -> Document:
    made = new(call.world, call.params)
    call.echo(made)
    return made


def _attach(call: Call) -> Document:
    world = call.world
    if not call.params.get("customer"):
        raise StripeError("Must provide customer or customer_account.", code="parameter_missing")
    customer = world.get("customer", call.params["customer"], param="customer")
    method = named(world, call.path["payment_method"], param=None)
    attach(world, method, customer)
    return method


def detach(world: World, method: Document) -> None:
    """Take a payment method away from its customer, for ever."""
    customer = None if method["customer"] is None else world.find("customer", method["customer"])
    if method["customer"] is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    method["customer"] = None
    method.private["is_spent"] = True
    world.save(method, "payment_method.detached")
    if customer is not None and customer["invoice_settings"]["default_payment_method"] == method.id:
        customer["invoice_settings"]["default_payment_method"] = None
        world.save(customer, "customer.updated")


def _detach(call: Call) -> Document:
    method = call.world.get("payment_method", call.path["payment_method"])
    detach(call.world, method)
    return method


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    method = world.get("payment_method", call.path["payment_method"])
    if method["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    if given.get("allow_redisplay") is not None:
        method["allow_redisplay"] = given["allow_redisplay"]
    if "billing_details" in given:
        method["billing_details"] = billing_details(given["billing_details"], method["billing_details"])
    if "metadata" in given:
        method["metadata"] = metadata(method["metadata"], given["metadata"])
    _update_card(world, method, given.get("card") or {})
    world.save(method, "payment_method.updated")
    return method


def _update_card(world: World, method: Document, given: dict[str, Any]) -> None:
    if not given:
        return
    if method["type"] != "card":
        raise invalid(f"You cannot update `card` of a payment method of type `{method['type']}`.", param="card")
    if "exp_month" in given:
        card_entry.check_month(given["exp_month"])
        method["card"]["exp_month"] = given["exp_month"]
    if "exp_year" in given:
        card_entry.check_year(given["exp_year"], world.wall)
        method["card"]["exp_year"] = given["exp_year"]


def _list(call: Call) -> lists.Page:
    # Stripe lists the payment methods of one customer, and of nobody nothing.
    if not call.params.get("customer"):
        return lists.Page(call.url, [], has_more=False)
    call.world.get("customer", call.params["customer"], param="customer")
    return _page(call, call.params)


def _list_of_customer(call: Call) -> lists.Page:
    customer = call.world.get("customer", call.path["customer"])
    return _page(call, {**call.params, "customer": customer.id})


def _page(call: Call, params: dict[str, Any]) -> lists.Page:
    return lists.page(call.world, PAYMENT_METHOD, call.url, params, narrowed_by=PAYMENT_METHOD.filters)


def _retrieve_of_customer(call: Call) -> Document:
    customer = call.world.get("customer", call.path["customer"])
    method = call.world.get("payment_method", call.path["payment_method"])
    if method["customer"] != customer.id:
        raise call.world.no_such("payment_method", method.id)
    return method


_AREA = PAYMENT_METHOD.area
_PAGED = words("limit starting_after ending_before type allow_redisplay")

KINDS = (PAYMENT_METHOD,)
ROUTES = (
    Route(
        "POST",
        "/v1/payment_methods",
        _create,
        uses=words(
            "type card.number card.exp_month card.exp_year card.cvc card.token us_bank_account.account_number "
            "us_bank_account.routing_number us_bank_account.account_type us_bank_account.account_holder_type "
            "sepa_debit.iban billing_details metadata allow_redisplay"
        ),
        refuses={
            "customer": "cloning to a connected account is not modelled.",
            "payment_method": "cloning to a connected account is not modelled.",
        },
        area=_AREA,
        is_public=True,
    ),
    retrieve("/v1/payment_methods/{payment_method}", PAYMENT_METHOD),
    Route(
        "POST",
        "/v1/payment_methods/{payment_method}",
        _update,
        uses=words("allow_redisplay billing_details card.exp_month card.exp_year metadata"),
        area=_AREA,
    ),
    Route("GET", "/v1/payment_methods", _list, uses=_PAGED | {"customer"}, area=_AREA),
    Route("POST", "/v1/payment_methods/{payment_method}/attach", _attach, uses=words("customer"), area=_AREA),
    Route("POST", "/v1/payment_methods/{payment_method}/detach", _detach, area=_AREA),
    Route("GET", "/v1/customers/{customer}/payment_methods", _list_of_customer, uses=_PAGED, area=_AREA),
    Route("GET", "/v1/customers/{customer}/payment_methods/{payment_method}", _retrieve_of_customer, area=_AREA),
)
TASKS: dict[str, Any] = {}
