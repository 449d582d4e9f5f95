"""The hosted pages: what a customer's browser is sent to.

They have no key. A page finds its sandbox by the id in its address, which is as hard to guess as Stripe's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.pages.challenge import ChallengePage
from paydesk.emulator.pages.checkout import CheckoutPage
from paydesk.emulator.pages.credit_note import CreditNotePage
from paydesk.emulator.pages.invoice import InvoicePage
from paydesk.emulator.pages.portal import PortalPage
from paydesk.emulator.pages.receipt import ReceiptPage
from paydesk.emulator.pages.welcome import WelcomePage

if TYPE_CHECKING:
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.pages.checkout import Answered


def routes(kernel: Kernel, answered: Answered) -> list[Route]:
    """Where the pages are. `answered` waits until an event's deliveries were answered."""
    checkout = CheckoutPage(kernel, answered)
    challenge = ChallengePage(kernel, checkout)
    invoice = InvoicePage(kernel)
    portal = PortalPage(kernel)
    return [
        Route("/", WelcomePage(kernel).show, methods=["GET"]),
        Route("/c/pay/{session}", checkout.show, methods=["GET"]),
        Route("/c/pay/{session}", checkout.submit, methods=["POST"]),
        Route("/3d_secure_2/hosted", challenge.show, methods=["GET"]),
        Route("/3d_secure_2/hosted", challenge.answer, methods=["POST"]),
        Route("/i/{account}/{token}", invoice.show, methods=["GET"]),
        Route("/i/{account}/{token}", invoice.submit, methods=["POST"]),
        Route("/invoice/{account}/{token}/pdf", invoice.pdf, methods=["GET"]),
        Route("/credit_notes/{account}/{token}/pdf", CreditNotePage(kernel).pdf, methods=["GET"]),
        Route("/p/session/{token}", portal.show, methods=["GET"]),
        Route("/p/session/{token}", portal.submit, methods=["POST"]),
        Route("/p/session/{token}/{room}", portal.show, methods=["GET"]),
        Route("/p/session/{token}/{room}", portal.submit, methods=["POST"]),
        Route("/receipts/{charge}", ReceiptPage(kernel).show, methods=["GET"]),
    ]
