"""Keys: which sandbox a request may see, and what it may do there.

`sk_test_NAME`, `rk_test_NAME` and `pk_test_NAME` are the keys of one sandbox, which
opens when it is first used. `sk_live_local_NAME` opens the live mode of the same
account, for rehearsing. Keys that look like real live keys are refused.

A restricted key carries its permissions in its name, after two underscores:
`rk_test_NAME__checkout_session_write__customer_read`. Without any it may do everything.
A key whose NAME begins with `expired` is expired.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from paydesk.emulator.kernel.errors import StripeError, unauthorized

_KEY = re.compile(r"(sk|rk|pk)_(test|live)_([A-Za-z0-9_.-]+)")
_REHEARSAL = "local_"

NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, "
    "or we can help at https://support.stripe.com/."
)
PUBLISHABLE = (
    "This API call cannot be made with a publishable API key. Please use a secret API key. "
    "You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys."
)
LOOKS_LIVE = (
    "This is paydesk's local Stripe, and the key that was sent looks like a real live key. "
    "It was refused and not kept. Never send it anywhere but to Stripe; if it went further than this machine, roll it. "
    "To rehearse live mode here, use a key that begins with sk_live_local_."
)


@dataclass(frozen=True)
class Key:
    """An API key that was understood. `kind` is sk, rk or pk; no permissions means all of them."""

    kind: str
    name: str
    livemode: bool
    permissions: frozenset[str]
    shown: str

    @property
    def is_publishable(self) -> bool:
        return self.kind == "pk"

    def check_may(self, area: str, *, writes: bool, account: str) -> None:
        """Refuse what a restricted key was not given. Writing includes reading."""
        if not self.permissions:
            return
        needed = f"{area}_{'write' if writes else 'read'}"
        if needed in self.permissions or (not writes and f"{area}_write" in self.permissions):
            return
        raise StripeError(
            f"The provided key '{self.shown}' does not have the required permissions for this endpoint on account "
            f"'{account}'. Having the 'rak_{needed}' permission would allow this request to continue.",
            status=403,
        )


def masked(key: str) -> str:
    """A key as error texts show it: the family and the last four characters."""
    family = re.match(r"(?:sk|rk|pk)_(?:test|live)_", key)
    head = family.group() if family else ""
    hidden = len(key) - len(head) - 4
    return head + "*" * max(hidden, 0) + key[-4:] if hidden > 0 else "*" * len(key)


@lru_cache(maxsize=1024)
def read(header: str | None) -> Key:
    """The key in an Authorization header, Bearer or Basic. Everything else is refused with 401."""
    scheme, _, credentials = (header or "").strip().partition(" ")
    credentials = credentials.strip()
    if scheme.lower() == "basic":
        credentials = _user_name(credentials)
    elif scheme.lower() != "bearer":
        credentials = ""
    if not credentials:
        raise unauthorized(NO_KEY)
    return understand(credentials)


def understand(key: str) -> Key:
    """What a key opens, or why it opens nothing."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise unauthorized(f"Invalid API Key provided: {masked(key)}")
    kind, mode, rest = match.groups()
    livemode = mode == "live"
    if livemode:
        if not rest.startswith(_REHEARSAL) or rest == _REHEARSAL:
            raise unauthorized(LOOKS_LIVE)
        rest = rest.removeprefix(_REHEARSAL)
    name, *permissions = rest.split("__")
    if name.startswith("expired"):
        raise unauthorized(f"Expired API Key provided: {masked(key)}", code="api_key_expired")
    return Key(kind, name, livemode, frozenset(permissions) if kind == "rk" else frozenset(), masked(key))


def _user_name(credentials: str) -> str:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[0]
