"""An app with paydesk's routes, deployed as the README says, its work left to others: only receiving is measured."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from paydesk import Catalog, Paydesk, Settings
from paydesk.emulator.server import listen, url_of


def main(url: str, secret: str, catalog: str, framework: str) -> None:
    """Serve on a free port, inside FastAPI or Starlette."""
    settings = Settings.read(
        {
            "STRIPE_SECRET_KEY": "sk_test_bench",
            "STRIPE_WEBHOOK_SECRET": secret,
            "STRIPE_API_BASE": "http://127.0.0.1:9",
            "BASE_URL": "http://127.0.0.1:8000",
            "DATABASE_URL": url,
            "PAYDESK_WORKER": "0",
        }
    )
    desk = Paydesk(settings, catalog=Catalog.load(catalog))
    app: Starlette
    if framework == "FastAPI":
        app = fastapi = FastAPI(lifespan=desk.lifespan)
        fastapi.include_router(desk.router())
    else:
        app = Starlette(lifespan=desk.lifespan, routes=desk.router().routes)
    listening = listen(0)
    print(f"The desk listens on {url_of(listening)}", flush=True)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, proxy_headers=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
