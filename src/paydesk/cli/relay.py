"""`paydesk relay`: tell other services what happened, through NATS JetStream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from paydesk.cli.desks import at_desk
from paydesk.cli.serving import log_to_stderr, told_to_stop

if TYPE_CHECKING:
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.relay.relay import Relay


@click.command()
@at_desk
@click.option(
    "--nats",
    "url",
    envvar="NATS_URL",
    default="nats://127.0.0.1:4222",
    show_default="nats://127.0.0.1:4222",
    help="Where NATS is; several servers of one cluster with commas between.  [env: NATS_URL]",
)
@click.option("--credentials", type=click.Path(exists=True, dir_okay=False), help="A NATS credentials file.")
@click.option("--stream", default="PAYDESK", show_default=True, help="The stream; it is made if there is none.")
@click.option("--subject", default="paydesk", show_default=True, help="What each message's subject begins with.")
@click.option("--replicas", default=1, show_default=True, help="On so many servers, if the stream is made.")
@click.option("--from-now", is_flag=True, help="Leave out what has happened so far.")
@click.option("--once", is_flag=True, help="Send what waits, and end.")
def relay(
    *,
    desk: Paydesk,
    url: str,
    credentials: str | None,
    stream: str,
    subject: str,
    replicas: int,
    from_now: bool,
    once: bool,
) -> None:
    """Tell other services what happened: each fact to a NATS JetStream stream, in order and once.

    A message's subject is SUBJECT.CUSTOMER.FACT, such as paydesk.cus_123.order.paid, and its id the fact's key. Start
    it on two machines, and one stands by.
    """
    from paydesk.billing.relay.jetstream import StreamConfig

    config = StreamConfig(url, stream, subject, replicas, credentials)
    found = desk.relay(config)
    try:
        if from_now:
            click.echo(f"Left out what has happened so far: {found.outbox.skip_all()}.")
        if once:
            _send_all(found)
        else:
            _send_until_stopped(found, config.stream)
    finally:
        found.stop()


def _send_all(relay: Relay) -> None:
    sent = 0
    while number := relay.send_due():
        sent += number
    click.echo(f"Sent: {sent}. Waiting: {relay.outbox.waits()}.")


def _send_until_stopped(relay: Relay, stream: str) -> None:
    stopping = told_to_stop()
    log_to_stderr()
    relay.start()
    click.echo(f"Relaying facts to the stream {stream}, {relay.outbox.waits()} waiting. Ctrl-C stops.")
    stopping.wait()
