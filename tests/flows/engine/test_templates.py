import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows.engine.templates import TemplateError, compile_template
from apps.flows.engine.values import encode

RECORD: dict[str, Any] = {"client": {"name": "Ann", "age": 20, "tags": ["x", "y"]}, "0": "zero", "é": 1}
SCOPE: dict[str, Any] = {**RECORD, "record": RECORD, "vars": {"big": "x" * 999_000, "self": None}}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{ client.age }}", 20),
        ("{{client.tags}}", ["x", "y"]),
        ("{{ client.missing }}", None),
        (" {{ client.age }}", " 20"),
        ("{{ client.name }} is {{ client.age }}", "Ann is 20"),
        ("{{ client.age }}{{ client.age }}", "2020"),
        ("[{{ null }}]", "[]"),
        ("{{ true }},{{ false }}", "true,false"),
        ("{{ 1.5 }} {{ 2.0 }} {{ 1e21 }} {{ 1e-7 }}", "1.5 2.0 1000000000000000000000 0.0000001"),
        ("-{{ client.tags }}", '-["x","y"]'),
        ("{{ '}}' }}", "}}"),
        ('{{ "\\"}}" }}', '"}}'),
        ('{{ "{{" }}', "{{"),
        ("}} { } {", "}} { } {"),
        ("@data.client.age@", 20),
        ("@data.client.tags.1@", "y"),
        ("@data.client.tags.9@", None),
        ("@data.0@", "zero"),
        ("@data.é@", 1),
        ("Dear @data.client.name@,", "Dear Ann,"),
        ("ops@example.com, a@data.nl", "ops@example.com, a@data.nl"),
        ("@webhook.x@ @data@", "@webhook.x@ @data@"),
        ({"a": ["{{ client.age }}", {"b": "@data.client.name@"}], "n": 1}, {"a": [20, {"b": "Ann"}], "n": 1}),
        ({"{{ client.age }}": 1}, {"{{ client.age }}": 1}),
        ([None, True, 1, 1.5], [None, True, 1, 1.5]),
    ],
)
def test_a_template_renders_to_its_value(template: Any, value: Any) -> None:
    result = compile_template(template).render(SCOPE)
    assert result == value
    assert type(result) is type(value)


def test_names_are_the_roots_of_all_its_expressions() -> None:
    template = compile_template({"a": "{{ client.age + vars.x }}", "b": ["@data.x@"]})
    assert (template.names, template.dynamic) == ({"client", "vars", "record"}, True)


def test_a_template_without_expressions_is_constant() -> None:
    template = compile_template({"a": ["x", 1]})
    assert (template.names, template.dynamic) == (frozenset(), False)


@pytest.mark.parametrize(
    ("template", "path", "position", "message"),
    [
        ("a {{ client", (), 3, "'{{' has no matching '}}'"),
        ("{{ 'x }}", (), 1, "'{{' has no matching '}}'"),
        ("{{ }}", (), 3, "empty"),
        ({"a": ["x", "12 {{ 1 ** 2 }}"]}, ("a", "1"), 7, "Pow is not part of the language"),
        ({"a": "{{ x }}", "b": "{{ {} }}"}, ("b",), 4, "Dict is not part of the language"),
        ({"a": f"to @keystore.{'x' * 2000}.y@"}, ("a",), 4, "longer than 2,000 characters"),
    ],
)
def test_a_wrong_template_is_refused_with_its_place(
    template: Any, path: tuple[str, ...], position: int, message: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(template)
    assert (caught.value.path, caught.value.position, caught.value.message) == (path, position, message)


def test_a_failing_expression_is_named_with_its_place() -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template({"a": ["Age: {{ client.age + client.name }}"]}).render(SCOPE)
    assert str(caught.value) == ("a/0: + needs two numbers, two texts or two lists, not number and text (character 9)")


@pytest.mark.parametrize(
    "template",
    [
        "{{ vars.big }}{{ vars.big }}",
        ["{{ vars.big }}", "{{ vars.big }}"],
        "{{ [vars.big, vars.big] }}",
        "text {{ [vars.big, vars.big] }}",
    ],
)
def test_an_output_over_one_megabyte_is_refused(template: Any) -> None:
    with pytest.raises(TemplateError, match="the output is larger than"):
        compile_template(template).render(SCOPE)


def test_a_value_that_contains_itself_many_times_is_refused_before_it_is_written() -> None:
    value: Any = ["x"]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(TemplateError, match="the output is larger than 1,000,000 characters"):
        compile_template("{{ vars }}").render({"vars": value})


@pytest.mark.parametrize(
    ("value", "reason"),
    [(float("nan"), "not finite"), ("a\0", "NUL"), ("\ud800", "surrogate"), ({1, 2}, "type set"), (2**63, "64 bit")],
)
def test_a_value_that_cannot_be_kept_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        compile_template("{{ vars }}").render({"vars": value})


def test_templates_nested_too_deeply_are_refused() -> None:
    template: Any = "x"
    for _ in range(101):
        template = [template]
    with pytest.raises(TemplateError, match="nested more than 100 deep"):
        compile_template(template)


PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{",
        "}",
        "'",
        '"',
        "\\",
        "@data.",
        "@",
        ".",
        "client",
        ".age",
        " ",
        "+",
        "vars",
        "[0]",
        "é",
        "\n",
        "\0",
    ]
)
TEXTS = st.one_of(st.text(max_size=100), st.lists(PIECES, max_size=25).map("".join))
JSONS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(TEXTS, children, max_size=3)),
    max_leaves=8,
)


@given(JSONS)
@settings(max_examples=400, deadline=None)
def test_any_template_gives_a_value_or_a_template_error(template: Any) -> None:
    try:
        value = compile_template(template).render(SCOPE)
    except TemplateError:
        return
    assert json.loads(encode(value)) == value


def test_a_long_text_of_openings_is_refused_at_once() -> None:
    with pytest.raises(TemplateError):
        compile_template("{{" * 400_000)
