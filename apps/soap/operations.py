"""The operations: what each takes, asks for and does. The WSDL, the reading of calls and the tests are made of this."""

from collections.abc import Callable
from dataclasses import dataclass

from apps.applications.caller import Caller
from apps.soap import acts
from apps.soap.acts import Given, Outcome

# The structures that calls are made of; every member is a text.
OBJECTS: dict[str, tuple[str, ...]] = {
    "AuthenticationObject": ("Apikey", "Appkey", "Version"),
    "DataRecordObject": ("Uuid", "ExecutionTime", "Data"),
    "FlowDiagramObject": ("Flow", "FlowId", "Status"),
    "SchemaObject": ("Url", "Schema", "DataRecord"),
}
AUTH, RECORD, FLOW, SCHEMA = OBJECTS
# Texts that are the base64 of a JSON document.
BASE64 = frozenset({"Data", "Schema", "DataRecord"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: the type of its ``input`` with that type's members, its scope, what it does, how it answers.

    ``act`` is ``None`` for ``webhook``, which knows no caller. ``code`` stands in the answer, as does ``error``;
    ``usage`` in the WSDL.
    """

    request: str
    members: tuple[str, ...]
    scope: str
    act: Callable[[Caller, Given], Outcome] | None
    usage: str
    code: int = 201
    error: str = "null"

    @property
    def changes(self) -> bool:
        """Whether doing it twice could make a difference."""
        return not self.scope.endswith(".read")


OPERATIONS: dict[str, Operation] = {
    "insertSchema": Operation(
        "InsertSchemaRequest", (AUTH, SCHEMA), "schema", acts.insert_schema, "Stores the data schema."
    ),
    "insertRecord": Operation(
        "InsertRecordRequest", (AUTH, RECORD, FLOW), "record", acts.insert_record,
        "Inserts a data record, or an array of them, into a flow.",
    ),
    "webhook": Operation(
        "WebhookRequest", ("Uri", "Payload"), "", None, "Delivers a payload to a webhook."
    ),
    "getRecord": Operation(
        "GetRecordRequest", (AUTH, RECORD), "record.read", acts.get_record, "Gets the document of a data record.", 200
    ),
    "getSchema": Operation(
        "GetSchemaRequest", (AUTH,), "schema.read", acts.get_schema, "Gets the data schema.", 200
    ),
    "getFlowDiagram": Operation(
        "GetFlowDiagramRequest", (AUTH, FLOW), "flowdiagram.read", acts.get_flow, "Gets the diagram of a flow.", 200
    ),
    "updateRecord": Operation(
        "UpdateRecordRequest", (AUTH, RECORD, FLOW), "record", acts.update_record,
        "Replaces the document of a data record.",
    ),
    "updateSchema": Operation(
        "UpdateSchemaRequest", (AUTH, SCHEMA), "schema", acts.update_schema, "Replaces the data schema."
    ),
    "changeFlowStatus": Operation(
        "ChangeFlowDiagramStatusRequest", (AUTH, FLOW), "flowdiagram", acts.change_status,
        "Publishes, pauses, resumes or stops a flow.", error="false",
    ),
    "deleteSchema": Operation(
        "DeleteSchemaRequest", (AUTH,), "schema", acts.delete_schema, "Removes the data schema.", 200
    ),
    "deleteRecord": Operation(
        "DeleteRecordRequest", (AUTH, RECORD), "record.delete", acts.delete_record, "Removes a data record."
    ),
}  # fmt: skip

# An older name for inserting a record, which the WSDL does not list: the members of ``Customer`` are its document.
ALIAS = "postRecord"
ALIAS_OPERATION = Operation(
    "postRecord", (AUTH, FLOW), "record", acts.insert_customer, "Inserts the members of Customer as a data record."
)
