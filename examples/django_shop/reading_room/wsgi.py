"""For a server: `gunicorn reading_room.wsgi`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reading_room.settings")

application = get_wsgi_application()
