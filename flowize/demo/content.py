"""What a demonstration organization is made of: a schema, a flow and a record that fit together."""

from typing import Any

FLOW_NAME = "client_intake"
URL = {"name": "clients", "flow": FLOW_NAME, "addresses": "127.0.0.0/8\n::1"}
WEBHOOK = {
    "name": "orders",
    "identifier_path": "order.id",
    "status_path": "order.status",
    "addresses": "127.0.0.0/8\n::1",
}

SAMPLE: dict[str, Any] = {
    "client": [
        {
            "uuid": "c-1001",
            "name": "De Vries Fietsen",
            "street": "Keizersgracht",
            "house_number": True,
            "postcode": "1015 CJ",
            "age": 34,
            "country": True,
            "raw_data": True,
            "post_id": "",
            "post_text": "",
            "post_url": True,
            "accounts": [
                {
                    "dossier_no": "D-77",
                    "iban": "NL91ABNA0417164300",
                    "bic": "ABNANL2A",
                    "payment_method": "transfer",
                    "invoices": [
                        {
                            "invoice_date": "2026-01-15",
                            "invoice_number": "2026-0001",
                            "amount": "149.95",
                            "expiration_date": "2026-02-14",
                        }
                    ],
                }
            ],
        }
    ]
}

# Identifier, kind and structure of each.
KEYSTORES: tuple[tuple[str, str, Any], ...] = (
    ("weather", "json", {"temp": None, "wind": "", "city": ""}),
    ("letters", "raw", ""),
)

CONNECTION_NAME = "echo"

TABLE_NAME = "clients"
# Name and kind of each column.
TABLE_COLUMNS = {"username": "text", "password": "text", "age": "integer"}

_TEXT = {"type": "string", "maxLength": 1000}
# The documents in circulation send these as a truth value, a number or a text.
_LOOSE = {"type": ["boolean", "string", "number", "null"]}

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Client with accounts and invoices",
    "type": "object",
    "required": ["client"],
    "properties": {"client": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/client"}}},
    "definitions": {
        "client": {
            "type": "object",
            "required": ["name", "age", "accounts"],
            "properties": {
                "uuid": _TEXT,
                "name": _TEXT,
                "street": _TEXT,
                "house_number": _LOOSE,
                "postcode": _TEXT,
                "age": {"type": "integer", "minimum": 0, "maximum": 150},
                "country": _LOOSE,
                "raw_data": _LOOSE,
                "post_id": _TEXT,
                "post_text": _TEXT,
                "post_url": _LOOSE,
                "accounts": {"type": "array", "items": {"$ref": "#/definitions/account"}},
            },
        },
        "account": {
            "type": "object",
            "properties": {
                "dossier_no": _TEXT,
                "iban": _TEXT,
                "bic": _TEXT,
                "payment_method": _TEXT,
                "invoices": {"type": "array", "items": {"$ref": "#/definitions/invoice"}},
            },
        },
        "invoice": {
            "type": "object",
            "properties": {
                "invoice_date": _TEXT,
                "invoice_number": _TEXT,
                "amount": _TEXT,
                "expiration_date": _TEXT,
            },
        },
    },
}


def flow_document(echo_url: str) -> dict[str, Any]:
    """The demonstration flow, calling the echo at ``echo_url``."""
    return {
        "format": "flow/1",
        "name": FLOW_NAME,
        "description": "Sorts clients by age, notes the result, waits a second and tells an echo.",
        "start": "start",
        "objects": {
            "start": {"type": "start", "text": "A client arrives", "next": {"ok": "of_age"}},
            "of_age": {
                "type": "decision",
                "text": "Is the client of age?",
                "rules": [{"port": "adult", "when": "client[0].age >= 18"}],
                "next": {"adult": "accept", "else": "refer"},
            },
            "accept": {
                "type": "set",
                "text": "Note: accepted",
                "set": {"intake.result": "accepted", "intake.greeting": "Welcome, {{ client[0].name }}"},
                "next": {"ok": "pause"},
            },
            "refer": {
                "type": "set",
                "text": "Note: refer to a guardian",
                "set": {"intake.result": "guardian"},
                "next": {"ok": "pause"},
            },
            "pause": {"type": "wait", "text": "Wait a second", "for": "PT1S", "next": {"ok": "tell"}},
            "tell": {
                "type": "app",
                "app": "core.http",
                "text": "Tell the echo",
                "with": {
                    "method": "POST",
                    "url": echo_url,
                    "auth": {"connection": CONNECTION_NAME},
                    "json": {"client": "{{ client[0].name }}", "result": "{{ intake.result }}"},
                    "timeout": "10s",
                    "save_to": "echo",
                },
                "retry": {"max": 3, "delay": "2s", "factor": 2, "on": ["timeout", "connection", "http.5xx"]},
                "next": {"ok": "end"},
            },
            "end": {"type": "end", "text": "Done"},
        },
    }


PAGE = {
    "name": "Welcome",
    "html": "<!doctype html><title>Welcome</title><h1>Welcome</h1><p>A hosted page of the demonstration.</p>",
}
