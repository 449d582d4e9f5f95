"""The app, made: for gunicorn (`postcards.wsgi:app`) and for the tests."""

from __future__ import annotations

from . import create_app

app = create_app()
paydesk = app.extensions["paydesk"]
