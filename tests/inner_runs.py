"""Runs of pytest within a test of ours, in the same process: what they load is unloaded after them.

Whatever would not like to be loaded twice is loaded here, and stays.
"""

from __future__ import annotations

import sqlalchemy.orm.dependency
from flask import Flask
from starlette.testclient import TestClient

from paydesk.flask import Desk
from paydesk.testing import Billing, billing_for

LOADED = (Billing, Desk, Flask, TestClient, billing_for, sqlalchemy.orm.dependency)
