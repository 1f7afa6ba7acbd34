"""How many statements a call may cost, all of them counted: BEGIN, COMMIT and authentication included."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.keystores.models import Keystore
from tests.keystores.conftest import LONDON, Call, fill

pytestmark = pytest.mark.django_db(transaction=True)


def statements(act: Callable[[], Any], status: int = 200) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert act().status_code == status
    return len(captured)


def test_a_read_costs_two_statements(call: Call, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    assert [statements(lambda: call("GET", "weather/london")) for _ in range(3)] == [3, 2, 2]
    assert statements(lambda: call("HEAD", "weather/london")) == 2
    assert statements(lambda: call("GET", "nope/london"), 404) == 2


def test_a_read_that_makes_the_key_costs_three(call: Call, weather: Keystore) -> None:
    call("GET", "weather/first")
    assert statements(lambda: call("GET", "weather/second")) == 3


def test_whoever_has_it_costs_two(call: Call, weather: Keystore) -> None:
    tag = call("GET", "weather/london")["ETag"]
    assert statements(lambda: call("GET", "weather/london", If_None_Match=tag), 304) == 2
    assert statements(lambda: call("GET", "weather/london", If_None_Match='"other"')) == 3


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_write_costs_two(call: Call, weather: Keystore, notes: Keystore, method: str) -> None:
    call("GET", "weather/first")
    assert statements(lambda: call(method, "weather/k", LONDON)) == 2
    assert statements(lambda: call(method, "notes/k", "text", "text/plain")) == 2
    assert statements(lambda: call(method, "nope/k", LONDON), 404) == 2


def test_a_write_in_the_other_kinds_format_costs_three(call: Call, weather: Keystore, notes: Keystore) -> None:
    call("GET", "weather/first")
    assert statements(lambda: call("PUT", "notes/k", LONDON)) == 3
    assert statements(lambda: call("PUT", "weather/k", "5", "text/plain")) == 3


def test_replacing_and_refusing_cost_two(call: Call, weather: Keystore) -> None:
    call("PUT", "weather/k", LONDON)
    assert statements(lambda: call("PUT", "weather/k", LONDON)) == 2
    assert statements(lambda: call("POST", "weather/k", LONDON), 409) == 2
    assert statements(lambda: call("PUT", "weather/k", "{"), 400) == 1


def test_a_conditional_write_costs_a_transaction(call: Call, weather: Keystore) -> None:
    call("PUT", "weather/k", LONDON)
    assert statements(lambda: call("PUT", "weather/k", LONDON, If_Match="*")) == 5


def test_a_removal_costs_four(call: Call, weather: Keystore) -> None:
    call("PUT", "weather/k", LONDON)
    assert statements(lambda: call("DELETE", "weather/k")) == 4


@pytest.mark.parametrize("keys", [0, 1, 1000])
def test_a_search_costs_six_whatever_it_finds(call: Call, weather: Keystore, keys: int) -> None:
    fill(weather, **{str(number): LONDON for number in range(keys)})
    call("GET", "weather/first")
    rules = [{"field": field, "operator": "LIKE", "value": "%"} for field in ("key", "city", "wind")]
    assert statements(lambda: call("POST", "weather", {"where": {"rules": rules}})) == 6
