"""Postcards: an app that sells stamps, and a plan for those who write a lot. `flask --app postcards run`."""

from __future__ import annotations

import secrets
from pathlib import Path

from flask import Flask

from .billing import desk
from .cards import metadata
from .views import pages

CATALOG = Path(__file__).parent.parent / "paydesk.toml"


def create_app() -> Flask:
    """The app, with whatever is set in FLASK_… or, for the desk, in its Secrets.

    Without a FLASK_SECRET_KEY, everybody is signed out when it is started again.
    """
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY=secrets.token_hex(), PAYDESK_NAME="Postcards", PAYDESK_CATALOG=CATALOG)
    app.config.from_prefixed_env()
    desk.init_app(app)
    app.register_blueprint(pages)
    with app.app_context():
        desk.open()
        metadata.create_all(desk.store.engine)  # the app's own tables, in the same database
    return app
