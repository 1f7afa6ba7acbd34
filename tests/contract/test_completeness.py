"""No call of the API goes without its documented example and without being refused in every way."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver

from tests.contract.builders import filled
from tests.contract.curl import read_curl
from tests.contract.exchanges import all_exchanges
from tests.contract.test_denials import ENDPOINTS, OPEN
from tests.contract.test_environment_denials import CALLS as ENVIRONMENT_CALLS

# Calls that the public documentation has no example of.
WITHOUT_EXAMPLE = {
    ("checkauthentication", "POST"): "another method for the documented call",
    ("refreshtoken", "POST"): "another method for the documented call",
    ("openapi\\.json", "GET"): "describes the API",
    ("postman\\.json", "GET"): "describes the API",
    ("url/(?P<secret>[\\x21-\\x2e\\x30-\\x7e]{1,128})", "POST"): "our own: the documentation names such addresses only",
    ("options", "GET"): "describes the API",
    ("environment/(?P<environment_id>[^/]+)", "DELETE"): "is listed without an example",
}


def calls() -> Iterator[tuple[Any, str]]:
    """Every pattern under /v1 with each of its methods."""
    api = next(pattern for pattern in get_resolver().url_patterns if str(pattern.pattern) == "v1/")
    for pattern in api.url_patterns:
        for method in getattr(pattern.callback, "actions", {}):
            if method != "head":
                yield pattern, method.upper()


def matches(pattern: Any, method: str, known: set[tuple[str, str]]) -> bool:
    return any(method == one and pattern.pattern.regex.match(path.removeprefix("/v1/")) for one, path in known)


def documented() -> set[tuple[str, str]]:
    commands = [command for exchange in all_exchanges() for command in exchange.calls.values()]
    plain = [read_curl(filled(text, lambda name: "http://x" if name == "base" else "1")) for text in commands]
    return {(call.method, call.path) for call in plain}


def test_every_call_has_a_documented_example_or_a_reason() -> None:
    known = documented()
    lacking = {
        (str(pattern.pattern).strip("^/?$"), method)
        for pattern, method in calls()
        if not matches(pattern, method, known)
    }
    assert lacking == set(WITHOUT_EXAMPLE)


def test_every_call_is_in_the_table_of_denials() -> None:
    known = {(method, path.partition("?")[0]) for method, path, *_ in [*ENDPOINTS, *ENVIRONMENT_CALLS]}
    for pattern, method in calls():
        open_to_all = any(pattern.pattern.regex.match(path.removeprefix("/v1/")) for path in OPEN)
        assert open_to_all or matches(pattern, method, known), (str(pattern.pattern), method)


@pytest.mark.parametrize("exchange", all_exchanges(), ids=lambda exchange: exchange.name)
def test_every_example_names_a_path_that_exists(exchange: Any) -> None:
    commands = exchange.calls.values()
    for command in commands:
        call = read_curl(filled(command, lambda name: "http://x" if name == "base" else "1"))
        patterns = [pattern for pattern, method in calls() if method == call.method]
        assert any(pattern.pattern.regex.match(call.path.removeprefix("/v1/")) for pattern in patterns), call
