"""Tokens: card data under a name that can be passed on, and used once."""

from __future__ import annotations

from typing import Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import missing_param
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.resources import card
from paydesk.emulator.resources.card import TOKEN
from paydesk.emulator.rules import card_entry


def _create(call: Call) -> Document:
    world, given = call.world, call.params.get("card")
    if not isinstance(given, dict):
        raise missing_param("card")
    entry = card_entry.read(given, world.wall, livemode=world.livemode)
    made = card.new(world, entry, given)
    # Nobody owns it before the token is used, so the key is not there.
    shown = {name: value for name, value in made.items() if name != "customer"}
    return world.add(
        Document(
            {
                "id": world.mint("tok_"),
                "object": "token",
                "card": shown,
                "client_ip": None,
                "created": world.wall,
                "livemode": world.livemode,
                "type": "card",
                "used": False,
            },
            made.private,
        )
    )


_NOT_MADE = "only tokens of cards are made here."
_OTHER_KINDS = dict.fromkeys(("account", "bank_account", "customer", "cvc_update", "person", "pii"), _NOT_MADE)

KINDS = (TOKEN,)
ROUTES = (
    Route("POST", "/v1/tokens", _create, uses=words("card"), refuses=_OTHER_KINDS, area="token", is_public=True),
    retrieve("/v1/tokens/{token}", TOKEN, is_public=True),
)
TASKS: dict[str, Any] = {}
