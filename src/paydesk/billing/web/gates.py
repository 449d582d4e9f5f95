"""A gate before an app's own page: who may pass, and what the others get, for any web framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paydesk.billing.web import requests
from paydesk.billing.web.answers import Answer, as_json, redirect, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.billing.customers import Payer
    from paydesk.billing.desk import Paydesk


@dataclass(frozen=True)
class Shut:
    """Why somebody may not pass. `url` is where that can be mended: what they owe, or what there is to buy."""

    status: int
    code: str
    message: str
    url: str | None = None

    @property
    def reason(self) -> dict[str, str]:
        """For scripts."""
        return {"code": self.code, "message": self.message}


class Gate:
    """Lets those pass whose plan allows `code`. Raises UnknownFeature if no plan of the catalog ever could."""

    def __init__(self, desk: Paydesk, code: str) -> None:
        desk.check_gate(code)
        self._desk = desk
        self._code = code

    def shut_for(self, user: Payer | None) -> Shut | None:
        """Why this user may not pass; None if they may."""
        if user is None:
            return Shut(401, "signed_out", "Please sign in first.")
        access = self._desk.access(user)
        if access.allows(self._code):
            return None
        at = f"{self._desk.settings.base_url}{self._desk.prefix}"
        if access.is_on_hold(self._code):
            return Shut(402, "on_hold", "Your plan is on hold: see to it on your account page.", f"{at}/account")
        return Shut(403, "not_in_plan", "Your plan does not include this.", f"{at}/pricing")

    def answer(self, shut: Shut, headers: Mapping[str, str]) -> Answer:
        """A script is told; a person is shown where to mend it, or asked to sign in."""
        if not is_person(headers):
            where = {} if shut.url is None else {"url": shut.url}
            return as_json({"error": shut.reason, **where}, status=shut.status)
        if shut.url is None:
            return refused(self._desk.pages, requests.SIGNED_OUT, is_form=True)
        return redirect(shut.url)


def is_person(headers: Mapping[str, str]) -> bool:
    """Whether a page is wanted: somebody looks at it. `headers` are looked up by lower-case names."""
    return "text/html" in headers.get("accept", "")
