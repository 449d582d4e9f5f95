"""`paydesk worker shop:desk`: apply events and run handlers in a process of its own.

An app does this in its own threads while it serves. Start workers beside it, on as many machines as you like, when
that is not enough, or when a handler's work should not compete with the app's. With PAYDESK_WORKER=0 set for it, the
app leaves all work to them.
"""

from __future__ import annotations

import click

from paydesk.cli.desks import find_desk
from paydesk.cli.serving import log_to_stderr, told_to_stop


@click.command()
@click.argument("target", metavar="[MODULE:DESK]", required=False)
@click.option("--lane-threads", default=4, show_default=True, help="Threads that ask Stripe and write the mirror.")
@click.option("--effect-threads", default=4, show_default=True, help="Threads that run your handlers.")
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Serve metrics on it; 0 picks a free one.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="Address to serve them on.")
def worker(
    target: str | None, lane_threads: int, effect_threads: int, metrics_port: int | None, metrics_host: str
) -> None:
    """Apply what Stripe told us, and run your handlers, until Ctrl-C or a TERM signal.

    MODULE:DESK is where your app made its Paydesk, such as shop.main:desk. A framework's own command line knows it.
    """
    from paydesk.errors import PaydeskError

    log_to_stderr()
    found = find_desk(target)
    stopping = told_to_stop()
    try:
        if metrics_port is not None:
            click.echo(f"Metrics are on {found.serve_metrics(metrics_port, metrics_host).url}")
        found.start(lane_threads=lane_threads, effect_threads=effect_threads)
    except PaydeskError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(
            f"Metrics cannot be served on {metrics_host} port {metrics_port}: {error.strerror or error}."
        ) from None
    click.echo(f"Working for {target or 'this project'}. Ctrl-C stops, after what is under way; once more, at once.")
    stopping.wait()
    found.stop()
    found.close()
