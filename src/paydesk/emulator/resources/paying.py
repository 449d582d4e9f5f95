"""Paying: a payment intent carried out, from the moment it is confirmed to the money or the refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.resources import charge, choosing, customer, dispute, payment_method
from paydesk.emulator.rules import bank_debits, confirming, declines
from paydesk.emulator.rules.confirming import Accept, Challenge, Refuse
from paydesk.emulator.rules.instrument import bank_details, card_details
from paydesk.emulator.rules.intents import check_confirmable, not_authenticated, unexpected_state

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.rules.declines import Decline
    from paydesk.emulator.rules.instrument import Instrument

SETTLE: Final = "payment_intent.settle"
HOLD_EXPIRED: Final = "payment_intent.hold_expired"


def confirm(
    world: World,
    intent: Document,
    method: Document,
    *,
    return_url: str | None = None,
    off_session: bool = False,
    fails_on_action: bool = False,
) -> None:
    """Pay an intent with a payment method.

    Afterwards the intent is in `succeeded`, `requires_capture`, `processing` (slow banks) or `requires_action`: then
    the payer is sent to `next_action`, and `finish_authentication` follows. `return_url` is where the bank's page
    leads back to. With `fails_on_action`, a payment that would need the payer is declined instead.

    Raises:
        StripeError: 402 when the bank declines; the failed charge and the intent, back in `requires_payment_method` and
            ready for another try, are kept (`keeps_work`). 400 for what cannot be confirmed, or not with this.
    """
    check_confirmable(intent)
    choosing.check(intent, method)
    intent["payment_method"] = method.id
    intent.private["return_url"] = return_url
    intent.private["off_session"] = off_session
    refusal = _attempt(world, intent, method, fails_on_action=fails_on_action)
    if refusal is not None:
        raise refusal


def finish_authentication(world: World, intent: Document, *, passed: bool) -> None:
    """The payer has answered their bank.

    Afterwards the intent has succeeded (or waits for its capture), or is back in `requires_payment_method` with the
    reason in `last_payment_error`: it failed the authentication, or was declined after it. Nothing is raised for those.

    Raises:
        StripeError: 400 when no answer is waited for.
    """
    if intent["status"] != "requires_action":
        raise unexpected_state(
            intent, f"This PaymentIntent is not waiting for an authentication: it has a status of {intent['status']}."
        )
    method = world.get("payment_method", intent["payment_method"], param="payment_method")
    if not passed:
        _fall_back(world, intent, not_authenticated(intent, method))
    elif intent["confirmation_method"] == "manual":
        intent["status"], intent["next_action"] = "requires_confirmation", None
        intent.private["is_authenticated"] = True
        world.save(intent)
    else:
        intent.private["is_authenticated"] = True
        _attempt(world, intent, method)


def settle(world: World, intent: Document) -> None:
    """The slow bank has answered: the intent succeeds, or fails and may be tried again. Nothing is raised."""
    if intent["status"] != "processing":
        return
    method = world.get("payment_method", intent["payment_method"], param="payment_method")
    debit = world.get("charge", intent["latest_charge"])
    account = bank_debits.by_number(method.private["account"])
    if account is not None and account.refusal is not None:
        charge.bounce(world, debit, account.refusal)
        _fall_back(world, intent, _reason(account.refusal, debit, method))
        return
    charge.clear(world, debit)
    if account is not None and account.is_disputed:
        dispute.open_debit(world, debit)
    _succeed(world, intent, method, debit)


def capture(world: World, intent: Document, amount: int) -> None:
    """Take what was held, or a part of it."""
    held = world.get("charge", intent["latest_charge"])
    charge.capture(world, held, amount)
    dispute.open_from_card(world, held)
    intent["amount_capturable"] = 0
    intent["amount_received"] = amount
    intent["status"] = "succeeded"
    world.unschedule(HOLD_EXPIRED, intent.id)
    _tell(world, intent, "payment_intent.succeeded")


def cancel(world: World, intent: Document, reason: str | None) -> None:
    """Give an intent up, and let go of what was held for it."""
    if intent["status"] == "requires_capture":
        charge.release(world, world.get("charge", intent["latest_charge"]))
        world.unschedule(HOLD_EXPIRED, intent.id)
    intent["amount_capturable"] = 0
    intent["canceled_at"] = world.wall
    intent["cancellation_reason"] = reason
    intent["next_action"] = None
    intent["status"] = "canceled"
    _tell(world, intent, "payment_intent.canceled")


def _attempt(world: World, intent: Document, method: Document, *, fails_on_action: bool = False) -> StripeError | None:
    instrument = payment_method.instrument(method)
    intent["last_payment_error"] = None
    intent["next_action"] = None
    if method["type"] != "card":
        _debit(world, intent, method, instrument)
        return None
    is_authenticated = intent.private.pop("is_authenticated", False)
    verdict = confirming.decide(
        instrument.card,
        off_session=intent.private["off_session"],
        is_set_up=method.private.get("is_set_up", False),
        is_authenticated=is_authenticated,
        requested=intent["payment_method_options"].get("card", {}).get("request_three_d_secure") or "automatic",
    )
    if isinstance(verdict, Challenge) and fails_on_action:
        verdict = Refuse(declines.AUTHENTICATION_REQUIRED)
    match verdict:
        case Challenge():
            _ask(world, intent)
        case Refuse(decline):
            return _refuse(world, intent, method, instrument, decline)
        case Accept(how):
            details = card_details(
                instrument, intent["amount"], confirming.three_d_secure_hash(how, f"{intent.id}:{method.id}")
            )
            _take(world, intent, method, instrument, details)
    return None


def _ask(world: World, intent: Document) -> None:
    intent["status"] = "requires_action"
    intent["next_action"] = confirming.challenge_action(
        intent,
        base_url=world.base_url,
        account=world.sandbox.account,
        attempt=world.mint("payatt_", like=intent.id),
        return_url=intent.private["return_url"],
    )
    _tell(world, intent, "payment_intent.requires_action")


def _refuse(world: World, intent: Document, method: Document, instrument: Instrument, why: Decline) -> StripeError:
    failed = charge.decline(world, _terms(intent), instrument, why)
    intent["latest_charge"] = failed.id
    _fall_back(world, intent, _reason(why, failed, method))
    return why.error(keeps_work=True, charge=failed.id, payment_intent=dict(intent), payment_method=dict(method))


def _reason(why: Decline, failed: Document, method: Document) -> dict[str, Any]:
    told = {**why.details(), "charge": failed.id, "payment_method": dict(method)}
    return {name: told[name] for name in sorted(told)}


def _fall_back(world: World, intent: Document, error: dict[str, Any]) -> None:
    intent["last_payment_error"] = error
    intent["next_action"] = None
    intent["payment_method"] = None
    intent["status"] = "requires_payment_method"
    _tell(world, intent, "payment_intent.payment_failed")


def _take(world: World, intent: Document, method: Document, instrument: Instrument, details: dict[str, Any]) -> None:
    captures = intent["capture_method"] != "manual"
    made = charge.authorize(
        world,
        _terms(intent),
        instrument,
        captures=captures,
        settles_later=intent["capture_method"] == "automatic_async",
        details=details,
    )
    intent["latest_charge"] = made.id
    if captures:
        dispute.open_from_card(world, made)
        _succeed(world, intent, method, made)
        return
    _keep_for_later(world, intent, method)
    intent["amount_capturable"] = intent["amount"]
    intent["status"] = "requires_capture"
    world.schedule(world.wall + charge.HOLD_SECONDS, HOLD_EXPIRED, intent.id, by_wall=True)
    _tell(world, intent, "payment_intent.amount_capturable_updated")


def _debit(world: World, intent: Document, method: Document, instrument: Instrument) -> None:
    made = charge.authorize(
        world,
        _terms(intent),
        instrument,
        captures=True,
        is_pending=True,
        details=bank_details(instrument),
    )
    intent["latest_charge"] = made.id
    intent["status"] = "processing"
    customer.introduce(world, intent["customer"])
    account = bank_debits.by_number(method.private["account"])
    after = bank_debits.SOON_SECONDS if account is None else account.after
    if after is not None:
        world.schedule(world.wall + after, intent.private.get("settled_by") or SETTLE, intent.id, by_wall=True)
    _tell(world, intent, "payment_intent.processing")


def _succeed(world: World, intent: Document, method: Document, made: Document) -> None:
    _keep_for_later(world, intent, method)
    intent["amount_received"] = made["amount_captured"]
    intent["status"] = "succeeded"
    _tell(world, intent, "payment_intent.succeeded")


def _keep_for_later(world: World, intent: Document, method: Document) -> None:
    """What the payer agreed to be kept is kept with them; what nobody keeps is used up."""
    usage = intent["setup_future_usage"]
    owner = None if intent["customer"] is None else world.find("customer", intent["customer"])
    if usage is not None and owner is not None:
        if usage == "off_session":
            method.private["is_set_up"] = True
            world.save(method)
        payment_method.keep(world, method, owner)
    customer.introduce(world, intent["customer"])
    payment_method.spend(world, method)


def _terms(intent: Document) -> dict[str, Any]:
    return {
        name: intent[name]
        for name in (
            "amount",
            "currency",
            "customer",
            "description",
            "metadata",
            "receipt_email",
            "shipping",
            "statement_descriptor",
            "statement_descriptor_suffix",
            "transfer_group",
        )
    } | {"payment_intent": intent.id}


def _tell(world: World, intent: Document, event: str) -> None:
    # These events show where the intent is now, not what it was.
    world.save(intent)
    world.emit(event, intent)
    if intent.private.get("followed_by") is not None:
        world.perform(intent.private["followed_by"], intent.id)


def _settle_due(world: World, subject: str) -> None:
    settle(world, world.get("payment_intent", subject))


def _hold_expired(world: World, subject: str) -> None:
    intent = world.get("payment_intent", subject)
    if intent["status"] == "requires_capture":
        cancel(world, intent, "automatic")


TASKS: dict[str, Any] = {SETTLE: _settle_due, HOLD_EXPIRED: _hold_expired}
