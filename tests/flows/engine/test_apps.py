"""What the apps are, how their configs are judged, and what the pure ones do."""

from typing import Any

import pytest

from apps.flows.engine.apps import APPS
from apps.flows.engine.configs import compile_config, written_faults
from apps.flows.engine.results import AppResult
from apps.flows.engine.templates import TemplateError, compile_template

SCOPE = {"client": {"name": "Ada <b>&'\"", "age": 30}, "n": 5, "none": None}


GET = {"method": "GET", "url": "/"}
ONE_OR_MORE = [((), "give 'value' and 'save_to', or 'values'")]
TEMPLATE_OR_TEXTS = [((), "give a 'template', or a 'subject' with 'text' or 'html' or both")]
NO_TEMPLATE = "an expression without {{ }}, as in the rules of a decision"


def rendered(app: str, config: dict[str, Any]) -> Any:
    return compile_config(APPS[app], config).render({**SCOPE, "record": SCOPE})


def calculated(config: dict[str, Any]) -> AppResult:
    app = APPS["core.function"]
    assert written_faults(app, config) == []
    assert app.run is not None
    result = app.run(rendered("core.function", config), SCOPE, lambda data: [])
    assert isinstance(result, AppResult)
    return result


@pytest.mark.parametrize(
    ("config", "output", "saved"),
    [
        ({"value": "{{ n * 2 }}", "save_to": "twice"}, 10, {"twice": 10}),
        ({"value": None, "save_to": "x"}, None, {"x": None}),
        ({"values": {"a": "{{ n + 1 }}", "b": "n is {{ n }}"}}, {"a": 6, "b": "n is 5"}, {"a": 6, "b": "n is 5"}),
        ({"values": {"a": ["{{ n }}", {"b": "{{ none }}"}]}, "save_to": "x"}, {"a": [5, {"b": None}]}, None),
    ],
)
def test_a_function_keeps_what_its_expressions_give(config: dict[str, Any], output: Any, saved: Any) -> None:
    assert calculated(config) == AppResult("ok", output, {"x": output} if saved is None else saved)


@pytest.mark.parametrize(
    ("app", "config", "faults"),
    [
        ("core.function", {}, ONE_OR_MORE),
        ("core.function", {"value": 1}, ONE_OR_MORE),
        ("core.function", {"value": 1, "values": {"a": 1}, "save_to": "x"}, ONE_OR_MORE),
        ("core.function", {"values": {"a b": 1}}, None),
        ("core.function", {"values": {}}, None),
        ("core.set", {}, [((), "give 'set' or 'unset' or both")]),
        ("core.email", {"to": "a"}, TEMPLATE_OR_TEXTS),
        ("core.email", {"to": "a", "subject": "b"}, TEMPLATE_OR_TEXTS),
        ("core.email", {"to": "a", "template": "b", "text": "c"}, TEMPLATE_OR_TEXTS),
        ("core.email", {"template": "b"}, None),
        ("core.email", {"to": ["a"] * 51, "template": "b"}, None),
        ("core.email", {"to": "a", "template": "b", "timeout": "20s"}, [
            (("timeout",), "more than 0 and at most 15 seconds")]),
        ("core.http", {**GET, "form": {"a": {}}}, None),
        ("core.http", {**GET, "xml": {"a": 1, "b": 2}}, None),
        ("core.http", {**GET, "redirects": 11}, None),
        ("core.http", {**GET, "redirects": -1}, None),
        ("core.http", {**GET, "auth": {}}, None),
        ("core.http", {**GET, "auth": {"connection": "a b"}}, None),
        ("core.http", {**GET, "auth": {"connection": "a", "secret": "b"}}, None),
        ("core.http", {**GET, "map": {"a": "answer.("}}, [
            (("map", "a"), "not an expression: invalid syntax (character 8)")]),
        ("core.http", {**GET, "map": {"a": "{{ answer }}"}}, [(("map", "a"), NO_TEMPLATE)]),
        ("core.http", {**GET, "write": {"a": "keystore.b.c"}}, [(("write", "a"), "'keystore' cannot be read here")]),
        ("core.http", {**GET, "write": {"a": "open('x')"}}, None),
        ("core.http", {**GET, "write": {"a..b": "answer"}}, None),
        ("core.http", {**GET, "map": {"a.b": "answer"}}, None),
        ("core.keystore.get", {"keystore": "a"}, None),
        ("core.keystore.put", {"keystore": "a", "key": "b"}, None),
        ("core.keystore.get", {"keystore": "a", "key": "b", "create": "yes"}, None),
        ("core.table.insert", {"table": "a", "values": {}}, None),
        ("core.table.select", {"table": "a", "where": "x"}, None),
        ("core.table.delete", {"table": "a"}, None),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_config(app: str, config: dict[str, Any], faults: Any) -> None:
    found = written_faults(APPS[app], config)
    assert found == faults if faults else found


@pytest.mark.parametrize(
    ("app", "config"),
    [
        ("core.http", {**GET, "xml": "{{ client }}", "redirects": "{{ n }}"}),
        ("core.email", {"to": "{{ client.all }}", "subject": "{{ n }}", "text": "x"}),
        ("core.table.update", {"table": "{{ x }}", "id": "{{ n }}", "values": "{{ client }}", "where": "{{ x }}"}),
    ],
)
def test_what_a_template_gives_is_not_judged_before_it_is_there(app: str, config: dict[str, Any]) -> None:
    assert written_faults(APPS[app], config) == []


def test_what_is_put_into_the_html_of_a_mail_is_escaped() -> None:
    body = "Dear {{ client.name }}"
    config = rendered(
        "core.email", {"to": "a", "subject": body, "text": body, "html": f"<p title='{{{{ client.name }}}}'>{body}"}
    )
    assert config["subject"] == config["text"] == "Dear Ada <b>&'\""
    assert config["html"] == "<p title='Ada &lt;b&gt;&amp;&#x27;&quot;'>Dear Ada &lt;b&gt;&amp;&#x27;&quot;"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("{{ client.name }}", "Ada &lt;b&gt;&amp;&#x27;&quot;"),
        ("@data.client.name@", "Ada &lt;b&gt;&amp;&#x27;&quot;"),
        ("{{ '<i>' }}", "&lt;i&gt;"),
        ("<i>{{ n }}{{ none }}</i>", "<i>5</i>"),
        ("{{ client }}", "{&quot;name&quot;:&quot;Ada &lt;b&gt;&amp;&#x27;\\&quot;&quot;,&quot;age&quot;:30}"),
        ("<b>", "<b>"),
    ],
)
def test_html_is_made_of_escaped_values(text: str, html: str) -> None:
    found = compile_template({"html": text, "text": text}, html=["html"]).render({**SCOPE, "record": SCOPE})
    assert found["html"] == html


def test_escaping_counts_towards_the_size() -> None:
    template = compile_template({"html": "{{ x }}{{ x }}"}, html=["html"])
    with pytest.raises(TemplateError):
        template.render({"x": "<" * 200_000})


def test_apps_name_what_they_refer_to_in_places_of_their_schemas() -> None:
    for app in APPS.values():
        for path, _ in app.references:
            schema = app.config_schema
            for key in path.split("/"):
                schema = schema["properties"][key]
            assert schema["type"] == "string"
