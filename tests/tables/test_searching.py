"""Searches give what a plain model of the language in Python gives."""

import operator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.errors import RequestTimeout
from apps.tables import services
from apps.tables.models import Table
from apps.tables.searching import OPERATORS
from apps.tables.storage import column, prefix, relation
from tests.conftest import Tenant
from tests.tables.conftest import make_table

# Few different values, so that rules match; signs of patterns and letters of other alphabets among them.
LETTERS = "abAB%_\\ ÄäßéΩω'\"日🙂"
TEXTS = st.one_of(
    st.text(LETTERS, max_size=4),
    st.builds(lambda text, n: text * n, st.text("aB%", min_size=1, max_size=2), st.just(120)),
)
VALUES: dict[str, Any] = {
    "name": TEXTS,
    "age": st.integers(-5, 5) | st.sampled_from([2**63 - 1, -(2**63)]),
    "price": st.decimals(-3, 3, places=1).map(float),
    "active": st.booleans(),
    "born": st.dates(date(2026, 1, 1), date(2026, 1, 6)).map(str),
}
KINDS = {"name": "text", "age": "integer", "price": "decimal", "active": "boolean", "born": "date"}
NEGATIONS = {
    "!=": "=", "<>": "=", "not_between": "between", "not_in": "in", "not_begins_with": "begins_with",
    "not_ends_with": "ends_with", "not_contains": "contains", "is_not_empty": "is_empty",
}  # fmt: skip
COMPARISONS = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=>": operator.ge,
    "=": operator.eq,
}
MATCHES = {"begins_with": str.startswith, "ends_with": str.endswith, "contains": str.__contains__}
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={name: st.none() | values for name, values in VALUES.items()}).filter(bool),
    max_size=8,
)


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    """One rule that suits its column."""
    field = draw(st.sampled_from([*VALUES, "id"]))
    values = VALUES.get(field, st.integers(0, 9))
    plain = {*COMPARISONS, "between", "in", "is_empty"} if field != "active" else {"=", "in", "is_empty"}
    plain |= set(MATCHES) if field == "name" else set()
    chosen = draw(st.sampled_from(sorted(plain | {name for name, of in NEGATIONS.items() if of in plain})))
    base = NEGATIONS.get(chosen, chosen)
    rule = {"field": field, "operator": chosen}
    if base == "between":
        rule["value"] = [draw(values), draw(values)]
    elif base == "in":
        rule["value"] = draw(st.lists(values, max_size=3))
    elif base == "=":
        rule["value"] = draw(values | st.none())
    elif base != "is_empty":
        rule["value"] = draw(values)
    return rule


GROUPS = st.recursive(
    rules(),
    lambda inner: st.fixed_dictionaries(
        {"rules": st.lists(inner, max_size=3)}, optional={"condition": st.sampled_from(["and", "OR", "AND"])}
    ),
    max_leaves=6,
).map(lambda node: node if "rules" in node else {"rules": [node]})


def folded(value: Any) -> Any:
    """What is compared: texts regardless of case, numbers exactly."""
    if isinstance(value, str):
        return value.lower()
    return Decimal(str(value)) if isinstance(value, float) else value


def fits(row: dict[str, Any], node: dict[str, Any]) -> bool:
    """The model: whether a row fits a rule or group."""
    if "rules" in node:
        join = any if node.get("condition", "and").upper() == "OR" and node["rules"] else all
        return join(fits(row, member) for member in node["rules"])
    sign, held, given = node["operator"], folded(row.get(node["field"])), node.get("value")
    if sign in NEGATIONS:
        return not fits(row, node | {"operator": NEGATIONS[sign]})
    if sign == "is_empty" or (sign == "=" and given is None):
        return held is None or (held == "" and node["field"] == "name")
    if held is None:
        return False
    if sign == "between":
        return bool(folded(given[0]) <= held <= folded(given[1]))
    if sign == "in":
        return held in [folded(value) for value in given]
    return bool((COMPARISONS.get(sign) or MATCHES[sign])(held, folded(given)))


def ordered(rows: list[dict[str, Any]], field: str, direction: str) -> list[dict[str, Any]]:
    """The model of order: empty values are the greatest, ties go by id."""

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        value = folded(row.get(field))
        value = value[:200] if isinstance(value, str) else value
        return (value is None, 0 if value is None else value, row["id"])

    return sorted(rows, key=key, reverse=direction == "desc")


@pytest.mark.parametrize("indexed", [False, True], ids=["unindexed", "indexed"])
@pytest.mark.django_db
def test_searches_are_those_of_the_model(acme: Tenant, indexed: bool) -> None:
    table = make_table(acme, "t", **{name: {"kind": kind} for name, kind in KINDS.items()})
    if indexed:
        build_indexes(table)

    @settings(max_examples=300, suppress_health_check=list(HealthCheck))
    @given(
        ROWS,
        GROUPS,
        st.sampled_from(["id", *VALUES, "date_created"]),
        st.sampled_from(["asc", "desc"]),
        st.integers(1, 5),
        st.integers(0, 4),
    )
    def agree(sent: Any, where: Any, field: str, direction: str, limit: int, offset: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {relation(table.pk)}")
        rows = [row | {"id": services.insert_row(acme.caller, "t", row)[1].id} for row in sent]
        found = services.search_rows(
            acme.caller, "t", where=where, limit=limit, offset=offset, order_field=field, order_type=direction
        )
        key = "id" if field == "date_created" else field
        expected = ordered([row for row in rows if fits(row, where)], key, direction)
        if field != "date_created":  # inserts may lie on both sides of a second
            assert [row.id for row in found.rows] == [row["id"] for row in expected[offset : offset + limit]]
        assert found.matches == len(expected)

    agree()


def build_indexes(table: Table) -> None:
    """As the job builds them, without leaving the transaction of the test."""
    with connection.cursor() as cursor:
        for row in table.columns.all():
            name = column(row.pk)
            key = prefix(name) if row.kind == "text" else name
            cursor.execute(f"CREATE INDEX ON {relation(table.pk)} (({key}), id)")
            if row.kind == "text":
                cursor.execute(f"CREATE INDEX ON {relation(table.pk)} USING gin (lower({name}) gin_trgm_ops)")
        cursor.execute("SET LOCAL enable_seqscan = off")


def test_every_operator_is_in_the_model() -> None:
    assert set(OPERATORS) == set(NEGATIONS) | set(COMPARISONS) | set(MATCHES) | {"between", "in", "is_empty"}


@pytest.fixture
def words(acme: Tenant) -> Tenant:
    """A table of words."""
    make_table(acme, "words", word="text", seen="datetime")
    for word in ("London", "lon%", "l_n", "", None, "Ärger", "äRGER", "x" * 300 + "A", "x" * 300 + "b"):
        services.insert_row(acme.caller, "words", {"word": word, "seen": "2026-07-15 12:00:00"})
    return acme


def ids(tenant: Tenant, *rule: Any, table: str = "words", **search: Any) -> list[int]:
    where = {"rules": [dict(zip(("field", "operator", "value"), rule, strict=False))]} if rule else None
    return [row.id for row in services.search_rows(tenant.caller, table, where=where, **search).rows]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (("word", "=", "LONDON"), [1]),
        (("word", "begins_with", "Lon"), [1, 2]),
        (("word", "begins_with", "lon%"), [2]),
        (("word", "contains", "_"), [3]),
        (("word", "ends_with", "%"), [2]),
        (("word", "ends_with", "\\"), []),
        (("word", "contains", "' OR 1=1 --"), []),
        (("word", "=", "ÄRGER"), [6, 7]),
        (("word", "!=", "london"), [2, 3, 4, 5, 6, 7, 8, 9]),
        (("word", "is_empty"), [4, 5]),
        (("word", "is_not_empty"), [1, 2, 3, 6, 7, 8, 9]),
        (("word", "=", None), [4, 5]),
        (("word", "<>", None), [1, 2, 3, 6, 7, 8, 9]),
        (("word", "=", ""), [4]),
        (("word", "begins_with", ""), [1, 2, 3, 4, 6, 7, 8, 9]),
        (("word", "=", "X" * 300 + "a"), [8]),
        (("word", ">", "x" * 300 + "a"), [6, 7, 9]),
        (("word", "begins_with", "x" * 300), [8, 9]),
        (("word", "begins_with", "x" * 300 + "B"), [9]),
        (("word", "in", "london, l_n"), [1, 3]),
        (("word", "not_in", []), list(range(1, 10))),
        (("word", "in", []), []),
        (("seen", "=", "2026-07-15 12:00:00"), list(range(1, 10))),
        (("seen", "=", "2026-07-15T10:00:00Z"), list(range(1, 10))),
        (("seen", "between", ["15-07-2026", "2026-07-15 24:00:00"]), list(range(1, 10))),
        (("date_created", ">", "2026-01-01"), list(range(1, 10))),
        (("id", ">=", "8"), [8, 9]),
        (("id", "=>", 9), [9]),
        (("id", "is_empty"), []),
    ],
)
def test_rules(words: Tenant, rule: Any, found: list[int]) -> None:
    assert ids(words, *rule) == found


def test_a_table_may_be_searched_with_a_hundred_rules(words: Tenant) -> None:
    rule = {"field": "word", "operator": "not_contains", "value": "q"}
    assert services.search_rows(words.caller, "words", where={"rules": [rule] * 100}).matches == 9


def test_a_search_that_takes_too_long_ends_and_names_the_columns(words: Tenant, settings: Any) -> None:
    make_table(words, "slow", word="text", note={"indexable": True})
    with connection.cursor() as cursor:
        table = Table.objects.get(name="slow")
        first, _ = table.columns.all()
        cursor.execute(
            f"INSERT INTO {relation(table.pk)} (c{first.pk}) SELECT repeat('x', 2000) FROM generate_series(1, 20000)"
        )
    settings.TABLE_SEARCH_SECONDS = 0.01
    with pytest.raises(RequestTimeout) as caught:
        ids(words, "word", "not_contains", "xy", table="slow", order_field="note")
    assert caught.value.message == ("The search took longer than 0.01 seconds and was ended. Make word indexable.")
    settings.TABLE_SEARCH_SECONDS = 5
    assert len(ids(words, "word", "not_contains", "xy", table="slow", limit=5)) == 5


def test_the_limit_ends_with_the_search(words: Tenant) -> None:
    ids(words)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('plan_cache_mode')")
        assert cursor.fetchone() == ("0", "auto")
