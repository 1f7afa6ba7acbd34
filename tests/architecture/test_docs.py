"""The written pages say what the code does."""

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.applications.api.urls import urlpatterns as oauth_patterns
from apps.applications.scopes import SCOPES
from apps.core.metrics import METRICS
from apps.flows.engine.apps import APPS
from apps.flows.engine.checks import check_document
from apps.flows.engine.configs import written_faults
from apps.flows.engine.document import DOCUMENT_SCHEMA, OBJECTS
from apps.flows.engine.expressions import compile_expression
from apps.flows.engine.functions import FUNCTIONS
from apps.flows.engine.graph import optional_ports
from apps.flows.engine.templates import compile_template
from apps.records.api.metrics import GAUGES, PREFIX
from apps.records.models import Status
from flowize.reference.tables import with_tables
from flowize.urls import v1

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])

# Set by the shell or the tests, not by an operator.
NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE"}


def page(name: str) -> str:
    return (DOCS / name).read_text()


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table whose first heading is ``heading``, its two head lines left out."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    body = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        body.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return body


def all_rows(text: str, heading: str) -> list[list[str]]:
    """The rows of every table with that first heading."""
    parts = text.split(f"\n| {heading} |")[1:]
    return [row for part in parts for row in rows(f"| {heading} |{part}", heading)]


def code(cell: str) -> str:
    """A cell's text without its backticks, which are doubled around backticks."""
    return cell.strip("` ")


def json_blocks(text: str) -> list[Any]:
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]


# --- Settings ---------------------------------------------------------------------------------------------------


def _reads(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Every variable that Python source reads: ``env.…("NAME")``, ``os.environ.get("NAME")``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            raise AssertionError(f"{ast.unparse(node)}: read variables with os.environ.get, so that they are found")
        if isinstance(node, ast.Call) and re.fullmatch(r"env\.\w+|os\.environ\.get|os\.getenv", ast.unparse(node.func)):
            if node.args and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value, node
            elif ast.unparse(node.func) != "env.db_url_config":
                raise AssertionError(f"{ast.unparse(node)}: name the variable literally, so that it is found")


def _python(name: str) -> str:
    return (ROOT / "flowize" / name).read_text()


def variables_read() -> set[str]:
    found = {name for file in ("settings.py", "gunicorn_conf.py", "postgres.py") for name, _ in _reads(_python(file))}
    found |= set(re.findall(r"\$\{?([A-Z][A-Z0-9_]*)", (ROOT / "Procfile").read_text()))
    return found - NOT_SETTINGS


def described_settings() -> dict[str, str]:
    """Variable and written default of every row."""
    listed = all_rows(page("settings.md"), "Variable")
    assert len(listed) == len({row[0] for row in listed})
    return {code(row[0].removesuffix("¹")): row[1] for row in listed}


def literal_default(call: ast.Call) -> object:
    """The default in the source, when it is a value that needs no other setting; else ``None``."""
    default = next((word.value for word in call.keywords if word.arg == "default"), None)
    if default is None or any(isinstance(node, ast.Name | ast.Call | ast.List) for node in ast.walk(default)):
        return None
    return eval(compile(ast.Expression(default), "settings", "eval"), {})


def as_written(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`"


def test_every_variable_that_is_read_has_a_row_and_no_other() -> None:
    assert set(described_settings()) == variables_read()


def test_the_defaults_of_settings_are_those_of_the_code() -> None:
    described = described_settings()
    computed = {"SECRET_KEY"}  # "" stands for a value that is made then
    defaults = {name: literal_default(call) for name, call in _reads(_python("settings.py")) if name not in computed}
    written = {name: as_written(default) for name, default in defaults.items() if default not in (None, "")}
    assert len(written) > 20
    assert {name: described[name] for name in written} == written
    assert {described[name] for name, default in defaults.items() if default == ""} == {"empty"}


def test_settings_are_described_in_the_order_of_the_code() -> None:
    reads = sorted(_reads(_python("settings.py")), key=lambda read: read[1].lineno)
    in_code = list(dict.fromkeys(name for name, _ in reads))
    assert [name for name in described_settings() if name in in_code] == in_code


def test_variables_that_cannot_come_from_a_file_are_marked() -> None:
    marked = {code(row[0].removesuffix("¹")) for row in all_rows(page("settings.md"), "Variable") if "¹" in row[0]}
    by_settings = {name for name, _ in _reads(_python("settings.py"))}
    elsewhere = {name for file in ("gunicorn_conf.py", "postgres.py") for name, _ in _reads(_python(file))}
    procfile = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]*)", (ROOT / "Procfile").read_text()))
    assert marked == elsewhere | procfile
    assert not set(described_settings()) - marked - by_settings


# --- The API ----------------------------------------------------------------------------------------------------


def test_the_tables_of_errors_and_scopes_are_those_of_the_code() -> None:
    assert with_tables(page("api.md")) == page("api.md"), "run manage.py api_tables --write"
    assert len(rows(page("api.md"), "Status")) > 20
    assert {code(scope) for scope, _ in rows(page("api.md"), "Scope")} == set(SCOPES)


def test_every_endpoint_is_listed_with_its_methods_and_scopes() -> None:
    listed: dict[str, dict[str, str]] = {}
    for endpoint, scope, _ in rows(page("api.md"), "Method and path"):
        methods, paths = (re.findall(pattern, endpoint) for pattern in (r"`([A-Z]+)`", r"`(/[^`]*)`"))
        for path in paths:
            listed.setdefault(path, {}).update(dict.fromkeys(methods, code(scope)))
    served = {}
    for pattern in v1:
        path = "/v1/" + re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", str(pattern.pattern).strip("^$")).removesuffix("/?")
        path = path.replace("\\.", ".")
        scopes = pattern.callback.cls.required_scopes
        actions = {method.upper(): action for method, action in pattern.callback.actions.items() if method != "head"}
        served[path] = {method: scopes.get(action, "–") for method, action in actions.items()}
    assert {path: methods for path, methods in listed.items() if path.startswith("/v1/")} == served
    assert {f"/{pattern.pattern}" for pattern in oauth_patterns if pattern.name} <= set(listed)


def test_every_status_of_a_record_is_explained() -> None:
    assert [code(status) for status, _ in rows(page("api.md"), "Status of a record")] == [
        status.label for status in Status
    ]


def test_the_json_of_the_api_page_can_be_read() -> None:
    assert len(json_blocks(page("api.md"))) >= 4


# --- Flows ------------------------------------------------------------------------------------------------------


def test_the_published_schema_is_the_one_documents_are_checked_against() -> None:
    published = page("flow-1.schema.json")
    assert json.loads(published) == DOCUMENT_SCHEMA
    printed = io.StringIO()
    call_command("flow_schema", stdout=printed)
    assert printed.getvalue() == published


def flow_examples() -> list[dict[str, Any]]:
    return [block for block in json_blocks(page("flows.md")) if "format" in block]


def test_the_example_flow_can_be_published() -> None:
    assert [check_document(flow) for flow in flow_examples()] == [[], []]


def test_the_example_flows_show_every_type_of_object() -> None:
    assert {item["type"] for flow in flow_examples() for item in flow["objects"].values()} == set(OBJECTS)


def test_every_object_is_listed_with_its_keys_and_says_whether_it_can_fail() -> None:
    listed = {code(kind): (keys, ports) for kind, keys, ports, _ in rows(page("flows.md"), "Type")}
    common = {"type", "text", "next"}
    assert {kind: set(re.findall(r"`(\w+)`", keys)) for kind, (keys, _) in listed.items()} == {
        kind: set(schema["properties"]) - common for kind, schema in OBJECTS.items()
    }
    fails = {kind for kind, (_, ports) in listed.items() if "`error`" in ports}
    assert fails == {kind for kind in OBJECTS if kind != "app" and optional_ports({"type": kind})}


def test_every_app_is_listed_with_its_config() -> None:
    listed = {code(app): set(re.findall(r"`(\w+)`", config)) for app, _, config, _ in rows(page("flows.md"), "App")}
    assert listed == {app.name: set(app.config_schema["properties"]) for app in APPS.values()}


def test_every_app_is_listed_with_its_ports() -> None:
    listed = {code(app): set(re.findall(r"`(\w+)`", ports)) for app, ports, _, _ in rows(page("flows.md"), "App")}
    assert listed == {app.name: {*app.ports, "error"} for app in APPS.values()}


def test_the_example_configs_of_apps_fit_them() -> None:
    examples = json_blocks(page("apps.md"))
    faults = [written_faults(APPS[example["app"]], example["with"]) for example in examples]
    assert faults == [[]] * len(examples)
    assert {example["app"].rsplit(".", 1)[0] for example in examples} == {"core", "core.keystore", "core.table"}


def test_every_function_is_listed_as_it_describes_itself() -> None:
    listed = [
        ": ".join(filter(None, (code(call), meaning))) for call, meaning in rows(page("expressions.md"), "Function")
    ]
    assert listed == [function.usage for function in FUNCTIONS.values()]


def sample() -> dict[str, Any]:
    return next(block for block in json_blocks(page("expressions.md")) if "format" not in block)


EXPRESSIONS = rows(page("expressions.md"), "Expression")
TEMPLATES = rows(page("expressions.md"), "Template")


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS, ids=[row[0] for row in EXPRESSIONS])
def test_the_example_expressions_have_the_values_shown(expression: str, value: str) -> None:
    found = compile_expression(code(expression)).evaluate(sample())
    assert json.dumps(found) == code(value)


@pytest.mark.parametrize(("template", "value"), TEMPLATES, ids=[row[0] for row in TEMPLATES])
def test_the_example_templates_have_the_values_shown(template: str, value: str) -> None:
    found = compile_template(code(template)).render(sample() | {"record": sample()})
    assert json.dumps(found) == code(value)


# --- All pages --------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target.read_text()), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, pending = set(), [ROOT / "README.md"]
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        names = re.findall(r"\]\((?!https?:)([^)#\s]+\.md)", path.read_text())
        pending += [(path.parent / name).resolve() for name in names]
    decisions = {path for path in PAGES if path.parent.name == "decisions"}
    assert set(PAGES) - found - decisions == set()
    assert decisions & found


def test_decisions_are_numbered_without_gaps_and_say_the_same_things() -> None:
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Why", "Consequences", "Rejected"], path.name
        assert path.read_text().startswith(f"# {int(path.name[:4])}. "), path.name


# --- Metrics ----------------------------------------------------------------------------------------------------


def test_every_metric_has_a_row_and_no_other() -> None:
    kept = [
        [
            f"{PREFIX}{name}" + ("" if metric.buckets else "_total"),
            "histogram" if metric.buckets else "counter",
            ", ".join(f"`{label}`" for label in metric.labels) or "–",
            metric.help,
        ]
        for name, metric in METRICS.items()
    ]
    kept += [
        [f"{PREFIX}{name}", "gauge", ", ".join(f"`{label}`" for label in labels) or "–", about]
        for name, (about, labels) in GAUGES.items()
    ]
    assert [[code(row[0]), *row[1:]] for row in rows(page("operations.md"), "Metric")] == kept
