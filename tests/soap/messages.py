"""Messages as callers send them, and their answers taken apart."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from django.test import Client

from tests.conftest import Tenant

ENV_11 = "http://schemas.xmlsoap.org/soap/envelope/"
ENV_12 = "http://www.w3.org/2003/05/soap-envelope"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PATH = "/v1/soap"
TEXT_XML = "text/xml; charset=utf-8"

Members = Mapping[str, Any]


def base64_of(document: Any) -> str:
    """The base64 of a JSON document; a text is taken as it is."""
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def from_base64(text: str) -> Any:
    """The document in a Resource."""
    return json.loads(base64.b64decode(text, validate=True))


def auth(tenant: Tenant, **changes: str) -> dict[str, Any]:
    """The AuthenticationObject of the application with all scopes."""
    return {"AuthenticationObject": {"Apikey": tenant.api_key, "Appkey": tenant.keys.app_key, "Version": "1"} | changes}


def elements(members: Members) -> str:
    """Members as elements, structures inside one another."""
    return "".join(
        f"<{name}>{elements(value) if isinstance(value, Mapping) else escape(str(value))}</{name}>"
        for name, value in members.items()
    )


def message(operation: str, members: Members | str, header: str = "", namespace: str = ENV_11) -> str:
    """A message in the plain style, without types."""
    inside = members if isinstance(members, str) else elements(members)
    return (
        f'<e:Envelope xmlns:e="{namespace}" xmlns:f="Flowize"><e:Header>{header}</e:Header><e:Body>'
        f"<f:{operation}><input>{inside}</input></f:{operation}></e:Body></e:Envelope>"
    )


class Answer:
    """An answer taken apart."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status = response.status_code
        self.root = ElementTree.fromstring(response.content)
        self.envelope, _, name = self.root.tag[1:].partition("}")
        assert name == "Envelope"
        (body,) = self.root
        assert body.tag == f"{{{self.envelope}}}Body"
        (self.child,) = body

    @property
    def is_fault(self) -> bool:
        return self.child.tag == f"{{{self.envelope}}}Fault"

    @property
    def members(self) -> dict[str, str]:
        """The members of a success."""
        assert not self.is_fault, self.response.content
        (accessor,) = self.child
        return {member.tag: member.text or "" for member in accessor}

    @property
    def resource(self) -> str:
        return self.members["Resource"]

    @property
    def fault(self) -> tuple[str, str]:
        """The code in the detail and the text of a Fault, both the same in the two places that have them."""
        assert self.is_fault, self.response.content
        items = self.items
        if self.envelope == ENV_11:
            code, text = self.child.findtext("faultcode"), self.child.findtext("faultstring")
            assert code == items["code"] or str(code).startswith("SOAP-ENV:")
            assert len(self.child.findtext("faultactor") or "") == 88
        else:
            text = self.child.findtext(f"{{{self.envelope}}}Reason/{{{self.envelope}}}Text")
        assert text == items["message"]
        return items["code"], items["message"]

    @property
    def items(self) -> dict[str, str]:
        """The detail of a Fault."""
        detail = self.child.find("detail" if self.envelope == ENV_11 else f"{{{self.envelope}}}Detail")
        assert detail is not None
        return {item.findtext("key") or "": item.findtext("value") or "" for item in detail}


def post(body: str | bytes, content_type: str = TEXT_XML, **extra: Any) -> Answer:
    """Send a message."""
    data = body.encode() if isinstance(body, str) else body
    return Answer(Client(raise_request_exception=False).generic("POST", PATH, data, content_type, **extra))


def call(operation: str, members: Members, **extra: Any) -> Answer:
    """Send a message in the plain style."""
    return post(message(operation, members), **extra)
