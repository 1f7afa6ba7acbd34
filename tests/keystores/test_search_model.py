"""Any search of any keystore finds the rows that plain Python finds."""

import json
import os
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.keystores.models import Keystore, KeystoreItem
from apps.keystores.services import search
from tests.conftest import build_tenant
from tests.keystores import model

EXAMPLES = int(os.environ.get("SEARCH_EXAMPLES", "500"))

names = st.sampled_from(["a", "b", "A", "0", "1", "key", "é", "a/b", ""])
texts = st.one_of(
    st.text("aAbBéÉ%_\\/\"'1.-\n ", max_size=6),
    st.sampled_from(
        ["10", "9", "9.0", "-0", "0", "1e2", "100", "1E400", "007", "7", "1e9999", "NaN", "１", "true", "null"]
    ),
    st.sampled_from(
        ["9" * 399, "9" * 401, "0." + "1" * 300, "1.", ".5", "+5", " 5", "5 ", "0x10", "1_000", "5\n", "{}"]
    ),
)
numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-12, 12), st.floats(allow_nan=False, allow_infinity=False)
)
scalars = st.one_of(texts, numbers, st.booleans())
documents = st.recursive(
    st.one_of(scalars, st.none()),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(names, below, max_size=4)),
    max_leaves=8,
)
steps = st.one_of(names, st.sampled_from(["-1", "2", "99999999999999999999", "b'); --", "$[*]", "{a}"]))
paths = st.lists(steps, min_size=1, max_size=3).map(".".join).filter(bool)
fields = st.one_of(paths, paths, st.sampled_from(["key", "keystore.key", "*"]))
rules = st.fixed_dictionaries(
    {
        "field": fields,
        "operator": st.sampled_from(["=", "!=", "<>", "<", ">", "<=", ">=", "LIKE"]),
        "value": scalars,
    }
)
wheres = st.recursive(
    st.fixed_dictionaries({"condition": st.sampled_from(["AND", "OR", "or"]), "rules": st.lists(rules, max_size=3)}),
    lambda below: st.fixed_dictionaries(
        {"condition": st.sampled_from(["AND", "or"]), "rules": st.lists(st.one_of(rules, below), max_size=3)}
    ),
    max_leaves=4,
)
keys = st.text("aAbBéÉ%_\\19.-", min_size=1, max_size=4).filter(lambda key: key not in (".", ".."))


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["json", "json", "raw"]))
    items = draw(st.dictionaries(keys, documents if kind == "json" else texts, max_size=6))
    select = [{"field": field} for field in draw(st.lists(fields, min_size=1, max_size=4, unique=True))]
    page = draw(st.sampled_from([{}, {"limit": 2}, {"limit": 2, "offset": 1}, {"offset": 2}]))
    return {"kind": kind, "items": items, "select": select, "where": draw(wheres)} | page


def compared(found: list[dict[str, str | None]], case: dict[str, Any]) -> None:
    assert found == model.search(**case), json.dumps(case)


class TestSearch(TestCase):
    """Rows of the database against rows of the model."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.tenant = build_tenant("acme")

    @settings(max_examples=EXAMPLES)
    @given(cases())
    def test_the_database_and_the_model_agree(self, case: dict[str, Any]) -> None:
        with transaction.atomic():
            keystore = Keystore.objects.create(workspace=self.tenant.workspace, identifier="k", kind=case["kind"])
            rows = [
                KeystoreItem(keystore=keystore, key=key, data=model.compact(value))
                for key, value in case["items"].items()
            ]
            KeystoreItem.objects.bulk_create(rows)
            asked = {name: case[name] for name in ("select", "where", "limit", "offset") if name in case}
            compared(search(self.tenant.caller, "k", **asked), case)


pytestmark = pytest.mark.django_db
