"""`paydesk verify`: is what the database says about money true?"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from paydesk.billing.truth.problems import PROBLEMS
from paydesk.cli.desks import at_desk
from paydesk.cli.tables import choose_tables

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.truth.compare import Drift
    from paydesk.billing.truth.verify import Verified

# Something is not so. That it could not be found out is another code: 3.
DRIFTED = 1
UNKNOWN = 3

TROUBLES = {
    "paid_not_fulfilled": "paid, not fulfilled",
    "fulfilled_not_paid": "fulfilled, not paid",
    "dead": "dead",
    "waiting": "waiting",
}
VALUE_CHARACTERS_MAX = 60


class NotKnown(click.ClickException):
    """It could not be found out."""

    exit_code = UNKNOWN


@click.command()
@at_desk
@click.option("--repair", is_flag=True, help="Read again what is not so, as if a webhook had told of it.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    metavar="MOMENT",
    help="Only what was made since this moment in UTC: 2026-01-31.",
)
@choose_tables
@click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")
def verify(*, desk: Paydesk, repair: bool, since: datetime | None, tables: tuple[str, ...], is_json: bool) -> None:
    """Hold every mirrored row against Stripe, and orders against the money they are for.

    Ends with 0 if all is true (or was repaired), with 1 if something is not, with 3 if it could not be found out.
    """
    from paydesk.cli.progress import Steps
    from paydesk.errors import PaydeskError

    moment = since.replace(tzinfo=UTC) if since is not None else None
    with Steps(is_quiet=is_json) as steps:

        def show(name: str, looked_at: int, found: int, is_done: bool) -> None:
            steps.show(name, looked_at, found, is_done=is_done)

        try:
            verified = desk.verify(repair=repair, since=moment, tables=tables, on_step=show)
        except PaydeskError as error:
            raise NotKnown(str(error)) from None
    if is_json:
        click.echo(json.dumps({"is_true": verified.is_true, **asdict(verified)}, default=str, ensure_ascii=False))
    else:
        _tell(verified)
    if not verified.is_true:
        raise SystemExit(DRIFTED)


def _tell(verified: Verified) -> None:
    for drift in verified.drifts:
        _tell_drift(drift)
    for finding in verified.findings:
        click.echo(f"{click.style(TROUBLES[finding.trouble], fg='red')}: {finding.subject}: {finding.detail}")
    repaired = sum(bool(drift.is_repaired) for drift in verified.drifts)
    drifted = len(verified.drifts) - repaired
    said = [f"{verified.looked_at} objects looked at"]
    if drifted:
        said.append(f"{drifted} not as at Stripe")
    if repaired:
        said.append(f"{repaired} repaired")
    if verified.findings:
        said.append(f"{len(verified.findings)} more to look at")
    if verified.is_true:
        said.append("all is true")
    click.echo(f"{', '.join(said)}.")
    if drifted and not any(drift.is_repaired is not None for drift in verified.drifts):
        click.echo("`paydesk verify --repair` reads them again.")


def _tell_drift(drift: Drift) -> None:
    outcome = {None: "", True: click.style("  repaired", fg="green"), False: click.style("  not repaired", fg="red")}
    name = click.style(f"{drift.kind} {drift.id}", bold=True)
    click.echo(f"{name} {PROBLEMS[drift.problem]}{outcome[drift.is_repaired]}")
    for each in drift.differences:
        click.echo(f"    {each.path}: {_value(each.ours)} here, {_value(each.theirs)} at Stripe")


def _value(value: Any) -> str:
    text = value if value == "(absent)" else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}…"
