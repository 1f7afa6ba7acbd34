"""Texts that are too long, too deep or too random to be written into a case: ``${repeat|a|5000}``."""

import base64
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings


def base64_of(document: Any) -> str:
    """The base64 of a JSON document; a string is taken as the text of one."""
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def schema_body(schema: Any, sample: Any = "{}", url: str = "www.example.nl") -> str:
    """The body that stores a data schema."""
    return json.dumps({"schema": base64_of(schema), "data_record": base64_of(sample), "url": url})


def repeat(text: str, times: str) -> str:
    """A text over and over."""
    return text * int(times)


def over_limit(text: str = "x") -> str:
    """One byte more than a body may have."""
    return text * (settings.BODY_LIMIT + 1)


def nested(times: str) -> str:
    """Arrays inside one another."""
    return "[" * int(times) + "]" * int(times)


def numbered(times: str, pattern: str, separator: str = ",") -> str:
    """A pattern with ``#`` standing for 0, 1, 2, …"""
    return separator.join(pattern.replace("#", str(number)) for number in range(int(times)))


def objects(times: str) -> str:
    """Objects that differ, comma separated."""
    return ",".join(f'{{"n":{number}}}' for number in range(int(times)))


def properties(times: str) -> str:
    """A draft-4 schema of that many properties."""
    return json.dumps({"properties": {f"p{number}": {} for number in range(int(times))}})


def open_objects(times: str) -> str:
    """Objects inside one another that never close."""
    return '{"a":' * int(times)


def uuids(times: str) -> str:
    """Random uuids, comma separated."""
    return ",".join(str(uuid.uuid4()) for _ in range(int(times)))


def uuid_list(times: str) -> str:
    """Random uuids as a JSON array."""
    return json.dumps([str(uuid.uuid4()) for _ in range(int(times))])


def rules(times: str, field: str = "age") -> str:
    """A JSON array of rules."""
    return json.dumps([{"field": field, "operator": "=", "value": str(number)} for number in range(int(times))])


def nested_rules(times: str, field: str = "age") -> str:
    """A where with groups inside groups."""
    opening = '{"condition":"AND","rules":[' * int(times)
    return opening + f'{{"field":"{field}","operator":"=","value":"1"}}' + "]}" * int(times)


def basic(pair: str) -> str:
    """The value of an HTTP Basic header; ``%00`` stands for NUL."""
    return "Basic " + base64.b64encode(pair.replace("%00", "\0").encode()).decode()


def soap_call(data: str, api_key: str = "", app: str = "", version: str = "1", extra: str = "") -> str:
    """A SOAP message that inserts a record, of Acme's where nobody else is named."""
    keys = f"<Apikey>{api_key or '${api_key}'}</Apikey><Appkey>{app or '${app}'}</Appkey><Version>{version}</Version>"
    record = f"<DataRecordObject><Uuid></Uuid><ExecutionTime></ExecutionTime><Data>{data}</Data></DataRecordObject>"
    flow = f"<FlowDiagramObject>{extra}<Flow>${{flow}}</Flow></FlowDiagramObject>"
    return _soap("insertRecord", f"<AuthenticationObject>{keys}</AuthenticationObject>{record}{flow}")


def soap_read(uuid: str) -> str:
    """A SOAP message of Acme's that reads a record."""
    keys = "<Apikey>${api_key}</Apikey><Appkey>${app}</Appkey><Version>1</Version>"
    record = f"<DataRecordObject><Uuid>{uuid}</Uuid></DataRecordObject>"
    return _soap("getRecord", f"<AuthenticationObject>{keys}</AuthenticationObject>{record}")


def _soap(operation: str, inside: str) -> str:
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:mym="Flowize">'
        f"<soapenv:Header/><soapenv:Body><mym:{operation}><input>{inside}</input></mym:{operation}></soapenv:Body>"
        "</soapenv:Envelope>"
    )


BUILDERS: dict[str, Callable[..., str]] = {
    "repeat": repeat,
    "over_limit": over_limit,
    "nested": nested,
    "numbered": numbered,
    "objects": objects,
    "properties": properties,
    "open_objects": open_objects,
    "uuids": uuids,
    "uuid_list": uuid_list,
    "rules": rules,
    "nested_rules": nested_rules,
    "basic": basic,
    "soap_call": soap_call,
    "soap_read": soap_read,
}
_PLACE = re.compile(r"\$\{([^{}]+)\}")


def filled(text: str, named: Callable[[str], str]) -> str:
    """A text with its places filled: a builder with its arguments, or the name of a thing on the stage."""

    def fill(place: re.Match[str]) -> str:
        builder, *arguments = place[1].split("|")
        if builder in BUILDERS:
            return BUILDERS[builder](*arguments)
        return named(place[1])

    while _PLACE.search(text):  # from the inside out: ${basic|${client_id}:x}
        text = _PLACE.sub(fill, text)
    return text
