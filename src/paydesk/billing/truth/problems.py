"""Problems: how a row can differ from what Stripe says, in the words that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Problem = Literal["differs", "missing", "gone", "buried"]

PROBLEMS: Mapping[Problem, str] = {
    "differs": "is not as at Stripe",
    "missing": "is missing here",
    "gone": "is here, and Stripe does not have it",
    "buried": "is said to be deleted here, and is not",
}
