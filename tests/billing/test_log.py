"""Whatever is logged, no secret is readable in it."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import pytest

from paydesk.billing.log import Redacting, get_logger, redact, redact_neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk_test_51HxSecretPart"


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A handler on a fresh logger of ours, and what it has written."""
    logger = get_logger(f"paydesk.tests.{request.node.name}")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"key {KEY}.", "key sk_test_***."),
        ("rk_live_51abc", "rk_live_***"),
        ("%22sk_test_51abc%22", "%22sk_test_***%22"),
        ("the risk_test_result", "the risk_test_result"),
        ("'whsec_a/b+c=='", "'whsec_***'"),
        ("postgresql://ada:hunter2@db/shop", "postgresql://ada:***@db/shop"),
        ("postgresql://ada:hunt@er2@db/shop", "postgresql://ada:***@db/shop"),
        ("sk_test is a prefix, pk_test_51 is public", "sk_test is a prefix, pk_test_51 is public"),
    ],
)
def test_what_is_starred_out(text: str, shown: str) -> None:
    """The kind of key stays readable, the key does not."""
    assert redact(text) == shown


def test_secrets_in_message_and_arguments_are_starred_out(written: tuple[logging.Logger, io.StringIO]) -> None:
    """It does not matter how the secret got into the line."""
    logger, stream = written

    logger.warning("using %s with %s", KEY, {"secret": "whsec_abc"})

    assert stream.getvalue() == "using sk_test_*** with {'secret': 'whsec_***'}\n"


def test_secrets_in_a_traceback_are_starred_out(written: tuple[logging.Logger, io.StringIO]) -> None:
    """Exceptions quote what they choked on."""
    logger, stream = written

    try:
        int(KEY)
    except ValueError:
        logger.exception("failed")

    assert "'sk_test_***'" in stream.getvalue()
    assert "SecretPart" not in stream.getvalue()


def test_a_line_that_cannot_be_formatted_shows_nothing_either(
    written: tuple[logging.Logger, io.StringIO], capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in a log call neither stops the app nor spills what was to be logged."""
    logger, stream = written

    logger.warning("one %s, two %s", KEY)

    assert "A log line at" in stream.getvalue()
    assert "SecretPart" not in stream.getvalue() + capsys.readouterr().err


def test_a_servers_logger_can_be_covered_too() -> None:
    """The web server logs our exceptions under its own name."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    neighbour = logging.getLogger("uvicorn.error")
    neighbour.addHandler(handler)
    try:
        redact_neighbours()
        neighbour.error("crashed: %s", KEY)
    finally:
        neighbour.removeHandler(handler)

    assert "SecretPart" not in stream.getvalue()


def test_a_handler_can_be_covered_for_every_logger() -> None:
    """An app adds the filter to its own handler, and everything written there is covered."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redacting())
    logging.getLogger("some.app").addHandler(handler)

    logging.getLogger("some.app").error(KEY)

    assert stream.getvalue() == "sk_test_***\n"
