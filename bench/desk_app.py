"""An app with paydesk's routes, as the README says, its settings from the environment; `paydesk worker` can join it."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from bench.stripe_objects import CATALOG
from paydesk import Catalog, Paydesk
from paydesk.emulator.server import listen, url_of

desk = Paydesk(catalog=Catalog.parse(CATALOG))

app = FastAPI(lifespan=desk.lifespan)
app.include_router(desk.router())


def main() -> None:
    """Serve on a free port."""
    listening = listen(0)
    print(f"The desk listens on {url_of(listening)}", flush=True)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, proxy_headers=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
