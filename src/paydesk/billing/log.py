"""Keeping keys out of logs: whatever is logged, no secret key or webhook secret is readable in it.

Our own loggers carry the filter from birth, and the desk puts it on the web
server's and Stripe's loggers too. Add it to a handler of yours with
`handler.addFilter(Redacting())` to cover everything the handler writes.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# What stays of a secret: the part that says which kind it is, which is what somebody debugging needs.
_KEY = re.compile(r"(?<![A-Za-z])((?:sk|rk)_(?:test|live|org)_|whsec_)[A-Za-z0-9+/=_-]+")
_PASSWORD_IN_URL = re.compile(r"(://[^/\s:@]+:)[^/\s]+(@)")

# These report our exceptions and our HTTP calls under their own names. A filter on a logger does not see
# what its children log, so each is named.
NEIGHBOURS = ("stripe", "uvicorn.error", "uvicorn.access", "asyncio", "sqlalchemy.engine.Engine")


def redact(text: str) -> str:
    """The text with every Stripe secret, and every password in a URL, starred out."""
    return _PASSWORD_IN_URL.sub(r"\1***\2", _KEY.sub(r"\1***", text))


class Redacting(logging.Filter):
    """A logging filter that lets every record through, with the secrets in it starred out."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception as error:
            # logging would print the arguments, whatever is in them, to explain itself.
            record.msg, record.args = f"A log line at {record.pathname}:{record.lineno} failed: {error!r}", None
            message = record.msg
        cleaned = redact(message)
        if cleaned != message:
            record.msg, record.args = cleaned, None
        if record.exc_info and record.exc_text is None:
            # A formatter uses this text instead of the exception where it is set.
            traceback = _PLAIN.formatException(record.exc_info)
            cleaned = redact(traceback)
            if cleaned != traceback:
                record.exc_text = cleaned
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


_PLAIN = logging.Formatter()
_FILTER = Redacting()


def get_logger(name: str) -> logging.Logger:
    """The standard library's logger of that name, redacting."""
    logger = logging.getLogger(name)
    logger.addFilter(_FILTER)  # the same filter is never added twice
    return logger


def redact_neighbours(names: Iterable[str] = NEIGHBOURS) -> None:
    """Put the filter on loggers that are not ours but may repeat what we raise or send."""
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)
