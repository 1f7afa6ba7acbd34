import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.draft4 import compile_schema
from apps.core.errors import BadRequest, Detail

TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name"],
}


def details_of(schema: Any) -> tuple[Detail, ...]:
    with pytest.raises(BadRequest) as refusal:
        compile_schema(schema)
    assert len(refusal.value.message) < 500
    assert refusal.value.details
    assert all(len(detail.message) < 500 for detail in refusal.value.details)
    return refusal.value.details


def doubling(levels: int, leaf: dict[str, Any], *, inside: bool = False) -> dict[str, Any]:
    """Definitions that each refer to the next one twice, at the same place or one level below it."""
    definitions: dict[str, Any] = {f"d{levels}": leaf}
    for level in range(levels):
        twice = {"allOf": [{"$ref": f"#/definitions/d{level + 1}"}, {"$ref": f"#/definitions/d{level + 1}"}]}
        definitions[f"d{level}"] = {"properties": {"a": twice}} if inside else twice
    return {"definitions": definitions, "allOf": [{"$ref": "#/definitions/d0"}]}


def nested(levels: int, leaf: Any) -> Any:
    for _ in range(levels):
        leaf = {"a": leaf}
    return leaf


def test_a_document_that_fits_has_no_problems() -> None:
    schema = compile_schema(TREE)
    document: Any = {"name": "root", "children": [{"name": "leaf", "children": []}]}
    assert schema.is_valid(document)
    assert schema.problems(document) == []


def test_every_problem_is_named_with_its_pointer() -> None:
    schema = compile_schema(TREE)
    document: Any = {"name": "root", "children": [{"name": 5}, {"children": "none"}]}
    assert not schema.is_valid(document)
    assert sorted((detail.path, detail.message) for detail in schema.problems(document)) == [
        ("/children/0/name", 'The value is not of type "string"'),
        ("/children/1", '"name" is a required property'),
        ("/children/1/children", 'The value is not of type "array"'),
    ]


def test_pointers_escape_the_document_s_keys() -> None:
    schema = compile_schema({"additionalProperties": {"type": "string"}})
    assert schema.problems({"a/b~c": 1}) == [Detail("/a~1b~0c", 'The value is not of type "string"')]


def test_messages_hold_the_expectation_and_never_the_value() -> None:
    rules: dict[str, Any] = {
        "type": {"type": "integer"},
        "enum": {"enum": ["red", "blue"]},
        "pattern": {"pattern": "^[0-9]+$"},
        "format": {"format": "date-time"},
        "not": {"not": {}},
        "maxLength": {"maxLength": 3},
        "anyOf": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "oneOf": {"oneOf": [{"type": "string"}, {"maxLength": 99}]},
        "items": {"items": {"type": "null"}, "uniqueItems": True},
    }
    document: Any = dict.fromkeys(rules, "hunter2") | {"items": ["hunter2", "hunter2"]}
    problems = compile_schema({"properties": rules}).problems(document)
    assert {detail.path.split("/")[1] for detail in problems} == set(rules)
    assert "hunter2" not in " ".join(detail.message for detail in problems)
    assert Detail("/enum", 'The value is not one of "red" or "blue"') in problems


def test_messages_and_lists_are_bounded() -> None:
    schema = compile_schema({"items": {"enum": ["x" * 1000, "y"]}})
    document: Any = list(range(100))
    assert len(schema.problems(document)) == 50
    assert len(schema.problems(document, limit=3)) == 3
    assert {len(detail.message) for detail in schema.problems(document)} == {300}


def test_inside_alternatives_the_deepest_problem_is_named() -> None:
    schema = compile_schema(
        {"oneOf": [{"type": "null"}, {"properties": {"amount": {"type": "number"}}, "type": "object"}]}
    )
    assert schema.problems({"amount": "x"}) == [Detail("/amount", 'The value is not of type "number"')]
    assert [detail.path for detail in schema.problems("x")] == [""]


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"properties": {"amount": {"multipleOf": 0.01}}}, {"amount": 19.99}, {"amount": 19.991}),
        ({"maximum": 5, "exclusiveMaximum": True}, 4, 5),
        ({"required": ["a"]}, {"a": None}, {}),
        ({"type": "integer"}, 1, 1.5),
        ({"const": 5, "if": {}, "contains": {}}, 6, None),
        ({"pattern": "^(a+)+$"}, "a" * 5000, "a" * 5000 + "!"),
        ({"format": "ipv4"}, "192.0.2.1", "192.0.2.256"),
        ({"format": "unheard-of"}, "x", None),
        ({"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}, {"c": 1, "d": 1}, {"a": 1}),
        ({"properties": {"$ref": {"type": "string"}}}, {"$ref": "x"}, {"$ref": 1}),
        ({"enum": [{"$ref": "http://example.com/"}]}, {"$ref": "http://example.com/"}, 1),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "type": "null"}, None, 1),
        ({"$schema": "https://json-schema.org/draft-04/schema", "type": "string"}, "", 1),
        ({"additionalItems": False, "items": [{"type": "null"}]}, [None], [None, 1]),
    ],
)
def test_draft4_as_it_is_written(schema: Any, valid: Any, invalid: Any) -> None:
    compiled = compile_schema(schema)
    assert compiled.problems(valid) == []
    assert invalid is None or compiled.problems(invalid)


@pytest.mark.parametrize(
    "schema",
    [
        {"definitions": {"a": {"type": "null"}}, "properties": {"x": {"$ref": "#/definitions/a"}}},
        {"definitions": {"a/b~c%": {"type": "null"}}, "properties": {"x": {"$ref": "#/definitions/a~1b~0c%25"}}},
        {"definitions": {"a": {"id": "#name", "type": "null"}}, "properties": {"x": {"$ref": "#name"}}},
        {
            "id": "http://example.com/root.json",
            "definitions": {"a": {"id": "item.json", "type": "null"}},
            "properties": {"x": {"$ref": "item.json"}},
        },
        {
            "id": "http://example.com/root.json",
            "definitions": {"a": {"type": "null"}},
            "properties": {"x": {"$ref": "http://example.com/root.json#/definitions/a"}},
        },
        {
            "definitions": {
                "a": {
                    "id": "http://example.com/other.json",
                    "definitions": {"b": {"type": "null"}},
                    "properties": {"x": {"$ref": "#/definitions/b"}},
                }
            },
            "allOf": [{"$ref": "http://example.com/other.json"}],
        },
        {"properties": {"x": {"$ref": "#/stored/elsewhere/0"}}, "stored": {"elsewhere": [{"type": "null"}]}},
        {"items": [{"type": "null"}], "properties": {"x": {"$ref": "#/items/0"}}},
        {"$ref": "#/definitions/a", "definitions": {"a": {"properties": {"x": {"type": "null"}}}}},
    ],
)
def test_references_inside_the_schema_are_followed(schema: Any) -> None:
    compiled = compile_schema(schema)
    assert compiled.problems({"x": None}) == []
    assert compiled.problems({"x": 1}) == [Detail("/x", 'The value is not of type "null"')]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"$ref": "http://example.com/x.json"}, ""),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "/properties/a"),
        ({"id": "http://169.254.169.254/x/", "properties": {"a": {"$ref": "y.json"}}}, "/properties/a"),
        ({"$ref": "#/definitions/nope"}, ""),
        ({"definitions": {"unused": {"not": {"$ref": "#nope"}}}}, "/definitions/unused/not"),
        ({"items": {"$ref": "#/items/7"}}, "/items"),
        ({"items": {"$ref": "#/type"}, "type": "array"}, "/items"),
        ({"items": {"$ref": "http://["}}, "/items"),
        ({"items": {"$ref": "http://json-schema.org/draft-04/schema#"}}, "/items"),
    ],
)
def test_a_reference_to_anything_else_is_refused_and_nothing_fetched(schema: Any, path: str) -> None:
    (detail,) = details_of(schema)
    assert detail.path == path
    assert detail.message.endswith("names nothing inside this schema, and nothing is ever fetched.")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ([], ""),
        (5, ""),
        (True, ""),
        (None, ""),
        ({"type": ["foo"]}, "/type/0"),
        ({"properties": {"a": {"type": "strin"}}}, "/properties/a/type"),
        ({"items": {"additionalProperties": {"type": "strin"}}}, "/items/additionalProperties/type"),
        ({"multipleOf": 0}, "/multipleOf"),
        ({"required": True}, "/required"),
        ({"required": []}, "/required"),
        ({"minLength": -1}, "/minLength"),
        ({"properties": []}, "/properties"),
        ({"$ref": 5}, "/$ref"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema"),
        ({"maximum": float("nan")}, "/maximum"),
        ({"id": "http://[", "type": "null"}, ""),
    ],
)
def test_what_is_not_draft4_is_refused_where_it_stands(schema: Any, path: str) -> None:
    assert [detail.path for detail in details_of(schema)] == [path]


@pytest.mark.parametrize("pattern", ["(", "(?=a)b", "(?<!a)b", r"(b)\1", "a{1000}{1000}"])
def test_a_pattern_that_cannot_run_in_linear_time_is_refused(pattern: str) -> None:
    (detail,) = details_of({"properties": {"a": {"pattern": pattern}}})
    assert detail.path == "/properties/a/pattern"
    assert "linear time" in detail.message
    (detail,) = details_of({"patternProperties": {pattern: {}}})
    assert "linear time" in detail.message


def test_the_number_of_patterns_is_bounded() -> None:
    compile_schema({"properties": {f"p{number}": {"pattern": f"^{number}$"} for number in range(200)}})
    compile_schema({"properties": {f"p{number}": {"pattern": "^same$"} for number in range(500)}})
    (detail,) = details_of({"patternProperties": {f"^{number}$": {} for number in range(201)}})
    assert detail.message == "The schema has 201 different regular expressions; 200 are allowed."


def test_the_size_is_bounded() -> None:
    compile_schema({"properties": {f"p{number}": {} for number in range(10_000)}})
    (detail,) = details_of({"description": "x" * 524_288})
    assert detail == Detail("", "524306 bytes; 524288 are allowed.")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}},
        {"properties": {"a": {"anyOf": [{"type": "null"}, {"not": {"$ref": "#/properties/a"}}]}}},
        {"dependencies": {"a": {"$ref": "#"}}},
    ],
)
def test_a_circle_at_one_place_is_refused(schema: Any) -> None:
    (detail,) = details_of(schema)
    assert detail.message == "The references lead in a circle without going into the document."


def test_doubling_references_are_refused_quickly() -> None:
    started = time.perf_counter()
    (detail,) = details_of(doubling(22, {"type": "string"}))
    assert detail.message == "More than 256 references at one place."
    (detail,) = details_of(doubling(22, {}, inside=True))
    assert detail.message == "The references of the schema multiply out to more than can be checked."
    (detail,) = details_of(doubling(12, {"properties": {"a": {"$ref": "#"}}}, inside=True))
    assert detail.message == "The references of the schema multiply out to more than can be checked."
    everyone = {"allOf": [{"$ref": f"#/definitions/d{number}"} for number in range(20)]}
    definitions = {f"d{number}": {"properties": {"a": everyone}} for number in range(20)}
    (detail,) = details_of({"definitions": definitions, "allOf": [{"$ref": "#/definitions/d0"}]})
    assert detail.message == "The references of the schema multiply out to more than can be checked."
    assert time.perf_counter() - started < 5


def test_a_long_chain_of_references_is_followed_without_exhausting_the_stack() -> None:
    definitions: dict[str, Any] = {"d5000": {"type": "null"}}
    for number in range(5000):
        definitions[f"d{number}"] = {"properties": {"a": {"$ref": f"#/definitions/d{number + 1}"}}}
    schema = {"definitions": definitions, "properties": {"a": {"$ref": "#/definitions/d4998"}}}
    compiled = compile_schema(schema)
    assert compiled.problems({"a": {"a": {"a": 1}}}) == [Detail("/a/a/a", 'The value is not of type "null"')]


def test_permitted_recursion_stays_fast_at_any_depth_of_the_document() -> None:
    twice: Any = {"type": "object", "properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}
    operators: Any = [
        {"type": "object", "properties": {"a": {"$ref": "#"}, "op": {"enum": [name]}}} for name in ("and", "or", "not")
    ]
    started = time.perf_counter()
    for schema in (twice, {"oneOf": [*operators, {"type": "null"}]}):
        compiled = compile_schema(schema)
        assert len(compiled.problems(nested(3, "leaf"))) == 1
        assert len(compiled.problems(nested(95, "leaf"))) == 1
    assert time.perf_counter() - started < 5


def test_a_large_plain_document_still_tells_its_first_problem() -> None:
    compiled = compile_schema({"items": {"properties": {"id": {"type": "integer"}}}})
    document: Any = [{"id": number} for number in range(20_000)]
    assert compiled.problems(document) == []
    document[12_345]["id"] = document[19_999]["id"] = "x"
    assert compiled.problems(document) == [Detail("/12345/id", 'The value is not of type "integer"')]
    assert compiled.problems(document, limit=0) == []


def test_a_large_entangled_document_is_refused_as_a_whole() -> None:
    compiled = compile_schema({"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}})
    document: Any = [None] * 20_000 + [1]
    assert compiled.problems(document) == [
        Detail("", "The document does not fit the schema; the faults are too entangled to be listed one by one.")
    ]
    assert compiled.problems([None, 1])[0].path == "/1"


def test_unique_items_of_many_objects_are_compared_quickly() -> None:
    compiled = compile_schema({"properties": {"list": {"uniqueItems": True}}})
    started = time.perf_counter()
    assert compiled.is_valid({"list": [{"i": number} for number in range(3000)]})
    assert time.perf_counter() - started < 1


def test_one_compiled_schema_serves_many_threads() -> None:
    compiled = compile_schema(TREE)

    def check(number: int) -> list[Detail]:
        return compiled.problems({"name": "x" if number % 2 else number})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(check, range(400)))
    assert answers[1::2] == [[]] * 200
    assert answers[::2] == [[Detail("/name", 'The value is not of type "string"')]] * 200


REFERENCES = st.sampled_from(["#", "#/definitions/a", "#/definitions/b", "#/properties/x", "#nowhere", "other.json"])
SUBSCHEMAS = st.recursive(
    st.one_of(
        st.just({}),
        st.builds(lambda kind: {"type": kind}, st.sampled_from(["null", "object", "array"])),
        st.builds(lambda ref: {"$ref": ref}, REFERENCES),
    ),
    lambda inner: st.one_of(
        st.builds(lambda x, y: {"properties": {"x": x, "a": y}}, inner, inner),
        st.builds(
            lambda keyword, all_: {keyword: all_},
            st.sampled_from(["allOf", "anyOf", "oneOf"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(
            lambda keyword, one: {keyword: one}, st.sampled_from(["items", "not", "additionalProperties"]), inner
        ),
    ),
    max_leaves=8,
)
DOCUMENTS = st.recursive(
    st.sampled_from([None, 1, "s"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "a", "z"]), inner, max_size=3),
    max_leaves=12,
)


@given(SUBSCHEMAS, SUBSCHEMAS, SUBSCHEMAS, DOCUMENTS)
def test_any_schema_is_refused_or_usable(root: Any, a: Any, b: Any, document: Any) -> None:
    try:
        compiled = compile_schema({"allOf": [root], "properties": {"x": {}}, "definitions": {"a": a, "b": b}})
    except BadRequest:
        return
    assert bool(compiled.problems(document)) is not compiled.is_valid(document)
