"""`{% load paydesk %}`: what somebody may see, and buttons to buy more.

    {% if_allows "drafts" %} … {% else %} {% subscribe_button "pro" %} {% endif_allows %}
    {% buy_button "ebook" %}
    {% buy_button "poster" "Two posters, please" quantity=2 %}

The page needs `request` in its context, as Django's own context processor puts it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from paydesk.billing.money import show
from paydesk.django.lazy import desk
from paydesk.django.owners import owner

if TYPE_CHECKING:
    from django.template.base import FilterExpression, NodeList, Parser, Token
    from django.template.context import Context
    from django.utils.safestring import SafeString

register = template.Library()


class IfAllows(template.Node):
    """Shows one thing to those whose plan allows it, and another to everybody else."""

    def __init__(self, code: FilterExpression, inside: NodeList, outside: NodeList) -> None:
        self._code = code
        self._inside = inside
        self._outside = outside

    def render(self, context: Context) -> SafeString:
        user = owner(context["request"])
        is_allowed = desk.allows(user, str(self._code.resolve(context)))
        return (self._inside if is_allowed else self._outside).render(context)


@register.tag
def if_allows(parser: Parser, token: Token) -> IfAllows:
    """`{% if_allows "pro" %} … {% else %} … {% endif_allows %}`, by one query."""
    words = token.split_contents()
    if len(words) != 2:
        raise template.TemplateSyntaxError(f'{words[0]} takes one plan, feature or limit: {{% if_allows "pro" %}}')
    code = parser.compile_filter(words[1])
    inside, outside = parser.parse(("else", "endif_allows")), template.NodeList()
    if parser.next_token().contents == "else":
        outside = parser.parse(("endif_allows",))
        parser.delete_first_token()
    return IfAllows(code, inside, outside)


@register.simple_tag
def buy_button(sku: str, label: str | None = None, quantity: int = 1) -> SafeString:
    """A form with one button that leads to Stripe's page. Raises UnknownProduct."""
    product = desk.catalog.product(sku)
    price = show(product.price.amount_minor, product.price.currency, trim_zeros=True)
    return _form("paydesk:checkout", label or f"Buy {product.name} – {price}", sku=sku, quantity=quantity)


@register.simple_tag
def subscribe_button(plan: str, label: str | None = None, interval: str | None = None) -> SafeString:
    """The same for a plan, by the rhythm it has first unless said. Raises UnknownPlan or IntervalRefused."""
    chosen = desk.catalog.plan(plan)
    offer = chosen.offer(interval)
    price = f"{show(offer.money.amount_minor, offer.money.currency, trim_zeros=True)} / {offer.every}"
    rhythm = {"interval": interval} if interval else {}
    return _form("paydesk:subscribe", label or f"{chosen.name} – {price}", plan=plan, **rhythm)


def _form(route: str, label: str, **fields: Any) -> SafeString:
    """Where a form comes from is seen in what browsers say of it: it needs no token."""
    hidden = format_html_join("", '<input type="hidden" name="{}" value="{}">', fields.items())
    button = format_html('{}<button type="submit">{}</button>', hidden, label)
    return format_html('<form class="paydesk" method="post" action="{}">{}</form>', reverse(route), button)
