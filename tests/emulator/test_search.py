"""Search: finding objects by what they hold, in Stripe's query language."""

from __future__ import annotations

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def people(client: stripe.StripeClient) -> stripe.StripeClient:
    """Three customers, the youngest of them Ada."""
    client.v1.customers.create(
        {"name": "Charles Babbage", "email": "charles@engines.example", "metadata": {"plan": "pro"}}
    )
    client.v1.customers.create({"name": "Mary 'the Queen'", "phone": "+441234"})
    client.v1.customers.create(
        {"name": "Ada Lovelace", "email": "ada@engines.example", "metadata": {"plan": "starter"}}
    )
    return client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('email:"ada@engines.example"', ["Ada Lovelace"]),
        ("email:'ADA@engines.example'", ["Ada Lovelace"]),
        ('email~"engines"', ["Ada Lovelace", "Charles Babbage"]),
        ('metadata["plan"]:"pro"', ["Charles Babbage"]),
        ("metadata['plan']:'nothing'", []),
        ('-metadata["plan"]:"pro"', ["Ada Lovelace", "Mary 'the Queen'"]),
        ("email:null", ["Mary 'the Queen'"]),
        ("-email:null", ["Ada Lovelace", "Charles Babbage"]),
        ('metadata["plan"]:null', ["Mary 'the Queen'"]),
        ('name~"lovelace" AND metadata["plan"]:"starter"', ["Ada Lovelace"]),
        ('name~"lovelace" metadata["plan"]:"pro"', []),
        ('name~"lovelace" or phone:"+441234"', ["Ada Lovelace", "Mary 'the Queen'"]),
        (r"name:'Mary \'the Queen\''", ["Mary 'the Queen'"]),
        ("created>0 AND created<9999999999", ["Ada Lovelace", "Mary 'the Queen'", "Charles Babbage"]),
        ("created<=0", []),
    ],
)
def test_a_query_finds_what_it_asks_for(people: stripe.StripeClient, query: str, found: list[str]) -> None:
    """Exact matches, parts of texts, numbers, absence and its opposite; newest first."""
    result = people.v1.customers.search({"query": query})

    assert [customer.name for customer in result.data] == found


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("ada", "We were unable to parse your search query."),
        ('email:"ada', "We were unable to parse your search query."),
        ('(email:"ada")', "We were unable to parse your search query."),
        ('email:"ada" AND', "We were unable to parse your search query."),
        ('balance:"0"', "Field `balance` is an unsupported search field for resource `customers`."),
        ('metadata:"pro"', "Field `metadata` is an unsupported search field for resource `customers`."),
        ('email["x"]:"pro"', "Field `email[x]` is an unsupported search field for resource `customers`."),
        ('email:"a" AND name:"b" OR name:"c"', "`AND` and `OR` cannot be used in the same search query."),
        ('email>"a"', "The `>` operator is not supported for the field `email`"),
        ('metadata["plan"]~"pro"', "The `~` operator is not supported for the field `metadata`"),
        ('email~"ab"', "must have at least 3 characters"),
        ('created>"soon"', "is compared with a number"),
        (" ".join(["created>1"] * 11), "up to 10 clauses"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(client: stripe.StripeClient, query: str, refusal: str) -> None:
    """Nothing is silently ignored: a question half understood would find the wrong objects."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.search({"query": query})

    assert refused.value.http_status == 400
    assert refusal in str(refused.value)


def test_pages_of_a_search_follow_each_other(client: stripe.StripeClient) -> None:
    """`next_page` leads on until it is null; the SDK's iterator walks all of them."""
    for number in range(5):
        client.v1.customers.create({"name": f"guest {number}"})

    first = client.v1.customers.search({"query": 'name~"guest"', "limit": 2})
    second = client.v1.customers.search({"query": 'name~"guest"', "limit": 2, "page": first.next_page or ""})
    everybody = client.v1.customers.search({"query": 'name~"guest"', "limit": 2}).auto_paging_iter()

    assert (first.has_more, second.has_more) == (True, True)
    assert [customer.name for customer in second.data] == ["guest 2", "guest 1"]
    assert [customer.name for customer in everybody] == [f"guest {number}" for number in (4, 3, 2, 1, 0)]


def test_the_total_is_counted_when_it_is_asked_for(people: stripe.StripeClient) -> None:
    """`total_count` counts all answers, not those of the page, and is absent unless expanded."""
    counted = people.v1.customers.search({"query": 'email~"engines"', "limit": 1, "expand": ["total_count"]})
    plain = people.v1.customers.search({"query": 'email~"engines"', "limit": 1})

    assert (len(counted.data), counted.to_dict()["total_count"]) == (1, 2)
    assert "total_count" not in plain


def test_what_was_deleted_is_not_found(people: stripe.StripeClient) -> None:
    """And a change is found at once: Stripe's own index takes up to a minute."""
    ada = people.v1.customers.search({"query": 'name:"Ada Lovelace"'}).data[0]

    people.v1.customers.update(ada.id, {"name": "Ada King"})
    renamed = people.v1.customers.search({"query": 'name:"Ada King"'}).data
    people.v1.customers.delete(ada.id)

    assert [customer.id for customer in renamed] == [ada.id]
    assert people.v1.customers.search({"query": 'name:"Ada King"'}).data == []


@pytest.mark.parametrize(
    ("limit", "refusal"),
    [
        (0, "This value must be greater than or equal to 1."),
        (101, "This value must be less than or equal to 100 (it currently is '101')."),
    ],
)
def test_a_search_refuses_limits_that_lists_clamp(client: stripe.StripeClient, limit: int, refusal: str) -> None:
    """Between 1 and 100, or a 400 that names the parameter."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.search({"query": 'name:"x"', "limit": limit})

    assert refused.value.user_message == refusal
    assert (refused.value.code, refused.value.param) == ("parameter_invalid_integer", "limit")


@pytest.mark.parametrize("page", ["nonsense", "bm90IG91cnM=", "🙂", "é" * 2000])
def test_a_page_that_is_none_is_refused(client: stripe.StripeClient, page: str) -> None:
    """Tokens are Stripe's: only one that was given, for the same query, leads anywhere."""
    with pytest.raises(stripe.InvalidRequestError, match="is an invalid page"):
        client.v1.customers.search({"query": 'name:"x"', "page": page})


def test_a_page_of_another_query_is_refused(people: stripe.StripeClient) -> None:
    """A token continues the search it came from."""
    first = people.v1.customers.search({"query": 'email~"engines"', "limit": 1})

    with pytest.raises(stripe.InvalidRequestError, match="is an invalid page"):
        people.v1.customers.search({"query": 'email~"ada"', "page": first.next_page or ""})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(alphabet=st.sampled_from(list("email:~<>=-\"'\\[]() ANDORnul1.\n"))) | st.text(min_size=1))
def test_no_query_breaks_the_search(client: stripe.StripeClient, query: str) -> None:
    """Whatever is asked, the answer is a result or a 400."""
    status = 200
    try:
        client.v1.customers.search({"query": query})
    except stripe.InvalidRequestError as refused:
        status = refused.http_status or 0

    assert status in (200, 400)
