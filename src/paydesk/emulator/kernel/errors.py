"""Refusals, in the words and with the status, type, code and param that Stripe uses."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = "https://stripe.com/docs/error-codes/"
# Codes that Stripe answers with and has no page for.
UNDOCUMENTED = frozenset({"property_expansion_max_depth"})


class StripeError(Exception):
    """An answer of 400 or more. Raised anywhere, rendered in one place.

    `keeps_work` tells whether what was written before the refusal stays: a declined
    payment leaves its failed charge behind, a refused parameter leaves nothing.
    `extra` are further keys of the error body (`decline_code`, `payment_intent`, …).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - Stripe's own name
        code: str | None = None,
        param: str | None = None,
        keeps_work: bool = False,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.keeps_work = keeps_work
        self.headers = headers or {}
        self.extra = extra

    def body(self, request_log_url: str | None) -> dict[str, Any]:
        """The `error` envelope: keys in alphabetical order, what is unknown left out."""
        error: dict[str, Any] = {
            **self.extra,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "request_log_url": request_log_url,
            "type": self.type,
        }
        if self.code is not None and self.code not in UNDOCUMENTED:
            error["doc_url"] = DOCUMENTATION + self.code.replace("_", "-")
        return {"error": {name: error[name] for name in sorted(error) if error[name] is not None}}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    """400: the request itself is wrong."""
    return StripeError(message, param=param, code=code)


def missing_param(param: str) -> StripeError:
    """400: a parameter that must be there is not."""
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def exclusive(*params: str) -> StripeError:
    """400: of these parameters only one may be sent."""
    return StripeError(f"You may only specify one of these parameters: {', '.join(params)}.")


def unauthorized(message: str, *, code: str | None = None) -> StripeError:
    """401: no key, or not one that opens anything here."""
    return StripeError(message, status=401, code=code)


def unrecognized_url(method: str, path: str) -> StripeError:
    """404: there is no such URL at Stripe either."""
    return StripeError(
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash. "
        "If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. "
        "Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
        status=404,
    )


def not_modelled(method: str, template: str) -> StripeError:
    """501: Stripe has this URL, the local Stripe does not model it yet. SDKs must not retry it."""
    area = template.removeprefix("/v1/").split("/")[0]
    return StripeError(
        f"The local Stripe knows {method} {template} but does not model it yet; it would go into "
        f"emulator/resources/{area.removesuffix('s')}.py.",
        status=501,
        type="api_error",
        headers={"Stripe-Should-Retry": "false"},
    )


def unexpected() -> StripeError:
    """500: our own mistake; the server's log has the traceback."""
    return StripeError(
        "An unknown error occurred in the local Stripe. Its log has the details; nothing of this request was kept.",
        status=500,
        type="api_error",
    )
