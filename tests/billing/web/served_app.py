"""The Flask app that is served in test_flask_processes.py: made before the fork, with its database in use by then."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import Flask, Response
from sqlalchemy import Column, MetaData, Table, Text

from paydesk import OrderPaid, User
from paydesk.flask import Desk

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

shelf = Table("shelf", MetaData(), Column("order_id", Text), Column("pid", Text))
desk = Desk()


@desk.on(OrderPaid)
def deliver(paid: OrderPaid, db: Session) -> None:
    """Once for each order, by whichever process has its lane."""
    db.execute(shelf.insert().values(order_id=paid.order.id, pid=str(os.getpid())))


def create_app() -> Flask:
    app = Flask(__name__)
    desk.init_app(app)
    with app.app_context():
        assert desk.orders(User("nobody")) == []  # a connection that both workers would share

    @app.after_request
    def name_process(answer: Response) -> Response:
        answer.headers["Process"] = str(os.getpid())
        return answer

    return app
