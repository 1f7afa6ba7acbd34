"""The Postman collection (v2.1): the requests of the story, made of what the OpenAPI document says."""

import json
import uuid
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.conf import settings

from apps.core.http.openapi import answers
from flowize.reference.document import Object, Written, generic, written
from flowize.reference.story import STORY, Step

FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
CREDENTIALS = ("api_key", "app_key", "client_id", "client_secret", "organization_api_key", "webhook_uri", "url_secret")
OF_DEMO = ("project_id",)
ON_THE_WAY = ("access_token", "refresh_token", "record", "called", "row", "environment")
SENT = {
    "apiKey": {"X-Apikey": "{{api_key}}", "X-App": "{{app_key}}"},
    "organizationKey": {"X-Apikey": "{{organization_api_key}}"},
    "clientId": {"client_id": "{{client_id}}", "client_secret": "{{client_secret}}"},
}
DESCRIPTION = (
    "Fill in the variables `api_key` and `app_key`, for the token calls also `client_id` and `client_secret`, for the "
    "calls of environments `organization_api_key` and `project_id`, or import the environment that "
    "`manage.py demo --postman` prints. Run as a whole, on a demonstration, the requests leave everything as it was."
)


@cache
def collection_written() -> Written:
    """The collection as it is sent."""
    return written(collection())


def collection() -> Object:
    """One folder for each tag of the document, its requests in the order of the story."""
    found = {operation["operationId"]: (method, path, operation) for method, path, operation in _operations()}
    items: dict[str, list[Object]] = {tag["name"]: [] for tag in generic()["tags"]}
    for step in STORY:
        method, path, operation = found[step.operation]
        items[step.folder or operation["tags"][0]].append(_item(step, method, path, operation))
    order = dict.fromkeys(found[step.operation][2]["tags"][0] for step in STORY)
    about = {tag["name"]: tag["description"] for tag in generic()["tags"]}
    return {
        "info": {
            "_postman_id": str(uuid.uuid5(uuid.NAMESPACE_URL, "flowize")),
            "name": "Flowize",
            "description": DESCRIPTION,
            "schema": FORMAT,
        },
        "item": [{"name": tag, "description": about[tag], "item": items[tag]} for tag in order],
        "variable": [{"key": name, "value": value} for name, value in _variables().items()],
    }


def environment(demo: dict[str, Any]) -> Object:
    """A Postman environment that fills the collection's variables with a demonstration's credentials."""
    values = {"base": demo["base_url"], "flow": demo["flow_name"]} | {
        name: demo[name] for name in CREDENTIALS + OF_DEMO
    }
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"flowize {demo['username']}")),
        "name": f"Flowize {demo['username']}",
        "values": [
            {"key": key, "value": value, "type": "secret" if key in CREDENTIALS else "default", "enabled": True}
            for key, value in values.items()
        ],
        "_postman_variable_scope": "environment",
    }


def _variables() -> dict[str, str]:
    return {"base": settings.PUBLIC_URL, "flow": "client_intake"} | dict.fromkeys(
        CREDENTIALS + OF_DEMO + ON_THE_WAY, ""
    )


def _operations() -> Iterator[tuple[str, str, Object]]:
    for path, methods in generic()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _item(step: Step, method: str, path: str, operation: Object) -> Object:
    status, answer = next(iter(operation["responses"].items()))
    request = _request(step, method, path, operation)
    scripts = {"prerequest": _before(step), "test": _after(step, int(status), answer)}
    return {
        "name": step.title or operation["summary"],
        "event": [
            {"listen": when, "script": {"type": "text/javascript", "exec": lines}}
            for when, lines in scripts.items()
            if lines
        ],
        "request": request,
        "response": [_saved(title, example, request, int(status)) for title, example in _examples(answer).items()],
    }


def _request(step: Step, method: str, path: str, operation: Object) -> Object:
    request: Object = {
        "method": method,
        "description": operation.get("description") or operation["summary"],
        "header": [*_credentials(step, operation), *_carried(step, operation, "header")],
        "url": _url(step, path, operation),
        "auth": {"type": "noauth"},
    }
    if step.token:
        token = {"key": "token", "value": "{{access_token}}", "type": "string"}
        request["auth"] = {"type": "bearer", "bearer": [token]}
    if body := operation.get("requestBody"):
        request["header"].append({"key": "Content-Type", "value": answers.JSON})
        request["body"] = {
            "mode": "raw",
            "raw": json.dumps(_body(step, body), indent=2, ensure_ascii=False),
            "options": {"raw": {"language": "json"}},
        }
    return request


def _body(step: Step, body: Object) -> Any:
    if step.body is not None:
        return step.body
    return next(iter(_examples(body).values()))["value"]


def _credentials(step: Step, operation: Object) -> list[Object]:
    """The headers of the first kind of credentials that the call takes and the collection has."""
    if step.token:
        return []
    ways = [way for way in SENT if any(way in security for security in operation["security"])]
    return [{"key": key, "value": value} for way in ways[:1] for key, value in SENT[way].items()]


def _carried(step: Step, operation: Object, where: str) -> list[Object]:
    """Parameters of one place; those without a value are there to be switched on."""
    return [
        {
            "key": parameter["name"],
            "value": step.values.get(parameter["name"], "") if where == "header" else "",
            "description": parameter["description"],
            "disabled": where == "query" or parameter["name"] not in step.values,
        }
        for parameter in _own(operation, where)
    ]


def _own(operation: Object, where: str) -> Iterable[Object]:
    return [found for found in map(_resolved, operation.get("parameters", [])) if found["in"] == where]


def _resolved(parameter: Object) -> Object:
    reference = parameter.get("$ref")
    found: Object = generic()["components"]["parameters"][reference.rpartition("/")[2]] if reference else parameter
    return found


def _url(step: Step, path: str, operation: Object) -> Object:
    parts = [f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    return {
        "raw": "/".join(["{{base}}", *parts]),
        "host": ["{{base}}"],
        "path": parts,
        "query": _carried(step, operation, "query"),
        "variable": [
            {"key": found["name"], "value": step.values[f"{{{found['name']}}}"], "description": found["description"]}
            for found in _own(operation, "path")
        ],
    }


def _examples(described: Object) -> Object:
    found: Object = described["content"].get(answers.JSON, {}).get("examples", {})
    return found


def _before(step: Step) -> list[str]:
    return [f"pm.collectionVariables.set({json.dumps(name)}, {value});" for name, value in step.sets.items()]


def _after(step: Step, status: int, answer: Object) -> list[str]:
    lines = [f'pm.test("answers {status}", () => pm.response.to.have.status({status}));']
    shown = next(iter(_examples(answer).values()))["value"]
    if isinstance(shown, dict) and "request-ip" in shown:
        message = json.dumps(step.message or shown["message"])
        said = f"pm.variables.replaceIn({message})" if "{{" in message else message
        lines.append(f'pm.test("says so", () => pm.expect(pm.response.json().message).to.eql({said}));')
    if step.until:
        lines += _waiting(step.until)
    for name, place in step.keeps.items():
        lines.append(f"pm.collectionVariables.set({json.dumps(name)}, pm.response.json().{place});")
    return lines


def _waiting(status: str) -> list[str]:
    """Ask again, a hundred times at most, until a job has brought the environment to that status."""
    name, tries = "pm.info.requestName", 'Number(pm.collectionVariables.get("tries") || 0)'
    again = f'pm.response.json().data.status !== "{status}" && {tries} < 100'
    return [
        f"const again = {again};",
        f'pm.collectionVariables.set("tries", again ? {tries} + 1 : 0);',
        f"if (again) {{ postman.setNextRequest({name}); setTimeout(() => {{}}, 300); }}",
        f'else pm.test("is {status}", () => pm.expect(pm.response.json().data.status).to.eql("{status}"));',
    ]


def _saved(title: str, example: Object, request: Object, status: int) -> Object:
    return {
        "name": title,
        "originalRequest": request,
        "code": status,
        "status": "Created" if status == 201 else "OK",
        "_postman_previewlanguage": "json",
        "header": [{"key": "Content-Type", "value": answers.JSON}],
        "body": json.dumps(example["value"], indent=2, ensure_ascii=False),
    }
