"""``POST /v1/keystore/{keystore_id}``."""

import json
from typing import Any

import pytest
from django.db import connection

from apps.core.errors import RequestTimeout
from apps.core.statement_time import at_most
from apps.keystores.models import Keystore
from tests.conftest import Tenant
from tests.keystores.conftest import LONDON, MADRID, Call, fill

# As the callers' documentation prints it.
PRINTED = """{
  "select": [
    {"field": "keystore.key", "alias": "MyKey"},
    {"field": "temp.max", "alias": "temperature"},
    {"field": "*", "alias": "all_info"}
  ],
  "where": {
    "condition": "OR",
    "rules": [
      {"field": "temp.average", "operator": ">", "value": "25"},
      {"field": "city", "operator": "LIKE", "value": "lond%"}
    ]
  }
}"""


def rule(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def keys(call: Call, *rules: Any, keystore: str = "weather", condition: str = "AND") -> list[str]:
    body = {"select": [{"field": "key"}], "where": {"condition": condition, "rules": list(rules)}}
    response = call("POST", keystore, body)
    assert response.status_code == 200, response.content
    return [row["key"] for row in response.json()]


def refused(response: Any, path: str, message: str) -> None:
    error = response.json()["error"]
    assert (response.status_code, error["details"]) == (400, [{"path": path, "message": message}])


def test_the_printed_search(call: Call, weather: Keystore) -> None:
    hot = {"temp": {"average": 25.5, "max": 31}, "city": "Sevilla"}
    fill(weather, London=LONDON, Madrid=MADRID, Sevilla=hot)
    response = call("POST", "weather", PRINTED)
    assert response.status_code == 200
    assert response.json() == [
        {"MyKey": "London", "temperature": None, "all_info": '{"temp":15,"wind":"2 km\\/h S","city":"London"}'},
        {"MyKey": "Sevilla", "temperature": "31", "all_info": '{"temp":{"average":25.5,"max":31},"city":"Sevilla"}'},
    ]


def test_the_printed_answer(call: Call, weather: Keystore) -> None:
    fill(weather, Madrid=MADRID)
    select = [
        {"field": "key", "alias": "MyKey"},
        {"field": "temp", "alias": "temperature"},
        {"field": "*", "alias": "all_info"},
    ]
    all_info = r'"{\"temp\":24,\"wind\":\"5 km\\/h N\",\"city\":\"Madrid\"}"'
    row = '{"MyKey":"Madrid","temperature":"24","all_info":' + all_info + "}"
    assert call("POST", "weather", {"select": select}).content.decode() == f"[{row}]"


@pytest.mark.parametrize("body", [{}, {"select": []}, {"select": None}, {"where": {}}, {"where": {"rules": []}}])
def test_without_a_select_the_key_and_all_of_it(call: Call, weather: Keystore, body: Any) -> None:
    fill(weather, b={"x": "a/b"}, a=5)
    assert call("POST", "weather", body).json() == [{"key": "a", "*": "5"}, {"key": "b", "*": '{"x":"a\\/b"}'}]


def test_selected_values_are_texts(call: Call, weather: Keystore) -> None:
    fill(
        weather,
        k={"s": "a/b", "i": 24, "f": 1e300, "t": True, "n": None, "o": {"b": "/", "a": 1}, "l": ["x", {"y": 2}]},
    )
    names = ["s", "i", "f", "t", "n", "o", "o.b", "l", "l.0", "l.1.y", "l.-1.y", "l.5", "s.x", "none", "keystore.key"]
    (row,) = call("POST", "weather", {"select": [{"field": name} for name in names]}).json()
    texts = [
        "a/b",
        "24",
        "1e+300",
        "true",
        None,
        '{"b":"\\/","a":1}',
        "/",
        '["x",{"y":2}]',
        "x",
        "2",
        "2",
        None,
        None,
        None,
        "k",
    ]
    assert list(row.items()) == list(zip(names, texts, strict=True))


def test_a_raw_keystore_is_searched_by_key_and_text(call: Call, notes: Keystore) -> None:
    fill(notes, a="Hello/World", b='{"x":1}', c="")
    select = [{"field": "key"}, {"field": "*"}, {"field": "x"}]
    assert call("POST", "notes", {"select": select}).json() == [
        {"key": "a", "*": "Hello/World", "x": None},
        {"key": "b", "*": '{"x":1}', "x": None},
        {"key": "c", "*": "", "x": None},
    ]
    assert keys(call, rule("*", "LIKE", "%WORLD"), keystore="notes") == ["a"]
    assert keys(call, rule("*", "=", ""), keystore="notes") == ["c"]
    assert keys(call, rule("x", "=", 1), keystore="notes") == []


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("=", 25, "b c"),
        ("=", "25", "b c"),
        ("=", "25.0", "b c"),
        ("!=", 25, "a d e f g"),
        ("<>", "25", "a d e f g"),
        (">", "9", "a b c"),
        (">=", 25, "a b c"),
        ("<", 25, "g"),
        ("<=", "25", "b c g"),
        (">", "m", "d e"),
        ("<", "N/B", "d f"),
        (">", "o", "e"),
        ("=", "N/A", "d"),
        ("LIKE", "2%", "b c"),
        ("LIKE", "%/%", "d"),
        (" like ", "N_A", "d"),
    ],
)
def test_numbers_and_texts(call: Call, weather: Keystore, operator: str, value: Any, found: str) -> None:
    temps = {"a": 100, "b": 25, "c": "25", "d": "n/a", "e": True, "f": [25], "g": -1e-3, "h": None}
    fill(weather, **{key: {"temp": temp} for key, temp in temps.items()}, i={}, j=[], k="x")
    assert keys(call, rule("temp", operator, value)) == found.split()


@pytest.mark.parametrize(
    "value", ["1e999", "-1e-999", "9" * 400, "NaN", "Infinity", "１", "1e1000000000", "0x1F", "9" * 8192]
)
@pytest.mark.parametrize("operator", ["=", ">", "<="])
def test_odd_numbers_are_no_error(call: Call, weather: Keystore, operator: str, value: str) -> None:
    odd = ["1e999", "9" * 400, "9" * 200_000, "1e1000000000", "NaN", "１", "-", "", "1e", 1e308, 5e-324, -(2**63)]
    fill(weather, **{str(number): {"v": item} for number, item in enumerate(odd)})
    assert isinstance(keys(call, rule("v", operator, value)), list)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("lond%", ["London"]),
        ("%ON%", ["London"]),
        ("l_ndon", ["London"]),
        ("london", ["London"]),
        ("%", ["London", "Zoë"]),
        ("ZOË", ["Zoë"]),
        ("lon", []),
        ("lond\\", []),
        ("%\\", []),
        ("\\%", []),
        ("", []),
        ("%_%_%_%_%_%_%", ["London"]),
    ],
)
def test_patterns(call: Call, weather: Keystore, pattern: str, found: list[str]) -> None:
    fill(weather, **{name: {"city": name} for name in ("London", "Zoë")})
    assert keys(call, rule("city", "LIKE", pattern)) == found
    assert keys(call, rule("key", "LIKE", pattern)) == found


def test_a_pattern_of_wildcards_ends(call: Call, weather: Keystore) -> None:
    fill(weather, k={"city": "a" * 100_000 + "b"})
    assert keys(call, rule("city", "LIKE", "%a" * 2500 + "c")) == []


def test_keys_are_texts(call: Call, weather: Keystore) -> None:
    fill(weather, **{"10": 1, "9": 1, "010": 1, "a": 1, "A": 1})
    assert keys(call, rule("key", "=", 10)) == ["10"]
    assert keys(call, rule("keystore.key", "=", "A")) == ["A", "a"]
    assert keys(call, rule("key", ">", "1")) == ["10", "9", "A", "a"]
    assert keys(call, rule("key", "LIKE", "%1%")) == ["010", "10"]


def test_a_missing_part_fits_no_rule(call: Call, weather: Keystore) -> None:
    fill(weather, a={"x": 1}, b={"x": None}, c={}, d=[1], e="text")
    for operator in ("=", "!=", "<>", "<", ">", "<=", ">=", "LIKE"):
        for value in ("", "5", "text", 5, True):
            assert set(keys(call, rule("x", operator, value))) <= {"a"}
    assert keys(call, rule("x", "!=", "text")) == ["a"]


def test_groups_in_groups(call: Call, weather: Keystore) -> None:
    fill(weather, a={"n": 1, "t": "x"}, b={"n": 2, "t": "x"}, c={"n": 3, "t": "y"})
    inner = {"condition": "or", "rules": [rule("n", "=", 1), rule("t", "=", "Y")]}
    assert keys(call, rule("key", "<>", "a"), inner) == ["c"]
    assert keys(call, rule("n", "=", 2), {"rules": [rule("n", "=", 3), rule("t", "=", "y")]}, condition="Or") == [
        "b",
        "c",
    ]
    assert keys(call, {"condition": "OR", "rules": []}) == ["a", "b", "c"]


def test_pages_in_the_order_of_keys(call: Call, weather: Keystore) -> None:
    fill(weather, **dict.fromkeys(["b", "a", "B", "é", "1", "~"], 0))
    select = {"select": [{"field": "key"}]}
    everything = [row["key"] for row in call("POST", "weather", select).json()]
    assert everything == ["1", "B", "a", "b", "~", "é"]
    for page, part in (
        ({"limit": 2}, everything[:2]),
        ({"limit": "2", "offset": "1"}, everything[1:3]),
        ({"offset": 4}, everything[4:]),
    ):
        assert [row["key"] for row in call("POST", "weather", select | page).json()] == part
    for page in (
        {"limit": 0},
        {"limit": -1},
        {"limit": "x"},
        {"limit": 1.5},
        {"offset": -1},
        {"offset": 2**63},
        {"limit": True},
    ):
        assert call("POST", "weather", select | page).status_code == 400
    assert len(call("POST", "weather", select | {"limit": 10**30}).json()) == 6


@pytest.mark.parametrize(
    "hostile", ["a'); DROP TABLE x;--", '$[*] ? (@ like_regex "(")', "%s", "{a,b}", 'x" , (select 1) --\n', "%(x)s"]
)
def test_hostile_names_are_just_names(call: Call, weather: Keystore, hostile: str) -> None:
    fill(weather, k={hostile: "found", "a": 1})
    assert call("POST", "weather", {"select": [{"field": "a", "alias": hostile}]}).json() == [{hostile: "1"}]
    for operator in ("=", "LIKE", "<>", ">"):
        assert keys(call, rule("a", operator, hostile)) == (["k"] if operator == "<>" else [])
        keys(call, rule(hostile, operator, "found"))
        keys(call, rule("key", operator, hostile))
    if "." not in hostile:
        assert call("POST", "weather", {"select": [{"field": hostile}]}).json() == [{hostile: "found"}]
        assert keys(call, rule(hostile, "=", "FOUND")) == ["k"]


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"select": {}}, "/select", "must be an array."),
        ({"select": ["a"]}, "/select/0", "must be an object with field and, if wanted, alias."),
        ({"select": [{"field": "a"}, {}]}, "/select/1/field", "must name a field."),
        ({"select": [{"field": 5}]}, "/select/0/field", "must name a field."),
        ({"select": [{"field": "a", "alias": 5}]}, "/select/0/alias", "must be a text."),
        (
            {"select": [{"field": "a"}, {"field": "b", "alias": "a"}]},
            "/select/1",
            "gives a name to a second field; use another alias.",
        ),
        ({"select": [{"field": "a" * 1001}]}, "/select/0/field", "is longer than 1000 characters."),
        ({"select": [{"field": "a", "alias": "b" * 1001}]}, "/select/0/alias", "is longer than 1000 characters."),
        ({"select": [{"field": str(n)} for n in range(101)]}, "/select", "holds more than 100 fields."),
        ({"where": []}, "/where", "must be an object with condition and rules."),
        ({"where": {"condition": "XOR", "rules": []}}, "/where/condition", "must be AND or OR."),
        (
            {"where": {"rules": [rule("a", "is", 1)]}},
            "/where/rules/0/operator",
            "must be one of = != <> < > <= >= like.",
        ),
        ({"where": {"rules": [rule("a", "=", {"x": 1})]}}, "/where/rules/0/value", "must be a single value."),
        (
            {"where": {"rules": [rule("a", "=", None)]}},
            "/where/rules/0/value",
            "must be a text, a number or a truth value.",
        ),
        ({"where": {"rules": [{"field": "a", "operator": "="}]}}, "/where/rules/0/value", "is missing."),
        (
            {"where": {"rules": [rule("a", "LIKE", "%" * 8193)]}},
            "/where/rules/0/value",
            "is longer than 8192 characters.",
        ),
        ({"where": {"rules": [rule("a" * 1001, "=", 1)]}}, "/where/rules/0/field", "is longer than 1000 characters."),
        ({"where": {"rules": [rule("a", "=", 1)] * 101}}, "/where/rules/100", "there are more than 100 rules."),
    ],
)
def test_what_cannot_be_understood_is_named(call: Call, weather: Keystore, body: Any, path: str, message: str) -> None:
    refused(call("POST", "weather", body), path, message)


@pytest.mark.parametrize("body", ["[]", "5", '"x"', "null"])
def test_a_search_is_an_object(call: Call, weather: Keystore, body: str) -> None:
    response = call("POST", "weather", body)
    assert (response.status_code, response.json()["error"]["message"]) == (
        400,
        "The body must be an object with select and where.",
    )


def test_rules_nested_too_deep(call: Call, weather: Keystore) -> None:
    for depth, status in ((10, 200), (11, 400), (500, 400)):
        where = '{"rules":[' * depth + json.dumps(rule("a", "=", 1)) + "]}" * depth
        assert call("POST", "weather", f'{{"where":{where}}}').status_code == status
    assert call("POST", "weather", json.dumps({"where": {"rules": [rule("a", "=", "x")] * 10_000}})).status_code == 400


def test_an_answer_of_too_many_rows(call: Call, weather: Keystore, settings: Any) -> None:
    settings.KEYSTORE_SEARCH_ROWS = 3
    fill(weather, a=1, b=1, c=1)
    assert len(call("POST", "weather", {}).json()) == 3
    fill(weather, d=1)
    for page in ({}, {"limit": 4}, {"limit": 1000}):
        response = call("POST", "weather", page)
        message = "The answer would have more than 3 rows: ask for it in parts, with limit and offset."
        assert (response.status_code, response.json()["error"]["message"]) == (413, message)
    assert len(call("POST", "weather", {"limit": 3, "offset": 1}).json()) == 3
    assert len(call("POST", "weather", {"where": {"rules": [rule("key", ">", "a")]}}).json()) == 3


def test_an_answer_of_too_many_bytes(call: Call, weather: Keystore, settings: Any) -> None:
    settings.KEYSTORE_SEARCH_BYTES = 1000
    fill(weather, **{str(n): "x" * 300 for n in range(9)})
    message = "The answer would be larger than 1000 bytes: ask for it in parts, with limit and offset."
    response = call("POST", "weather", {})
    assert (response.status_code, response.json()["error"]["message"]) == (413, message)
    assert len(call("POST", "weather", {"limit": 3}).json()) == 3
    assert len(call("POST", "weather", {"select": [{"field": "key"}]}).json()) == 9
    fill(weather, big="x" * 2000)
    assert call("POST", "weather", {"offset": 9}).status_code == 413
    assert call("POST", "weather", {"offset": 9, "select": [{"field": "key"}]}).json() == [{"key": "big"}]


def test_a_search_that_takes_too_long(call: Call, weather: Keystore, settings: Any) -> None:
    settings.KEYSTORE_SEARCH_SECONDS = 0.001
    fill(weather, **{str(n): {"t": "ab" * 50_000} for n in range(20)})
    response = call("POST", "weather", {"where": {"rules": [rule("t", "LIKE", "%a%b%c" * 20)]}})
    message = "The search took too long. Narrow it with a rule on the key, or search fewer keys with limit and offset."
    assert (response.status_code, response.json()["error"]["message"]) == (408, message)


def shown_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


def test_the_limit_of_time_ends_with_the_search(acme: Tenant) -> None:
    before = shown_timeout()
    with at_most(5, "?"):
        assert shown_timeout() == "5s"
        with pytest.raises(RequestTimeout, match="slower"), at_most(0.01, "slower"), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(1)")
        assert shown_timeout() == "5s"
    assert shown_timeout() == before
