"""Every operation through zeep. Told by the environment: WSDL, API_KEY, APP_KEY, FLOW, WEBHOOK, UUID."""

import base64
import json
import os
from typing import Any

import zeep
from zeep.exceptions import Fault

client = zeep.Client(os.environ["WSDL"])
KEYS = {"Apikey": os.environ["API_KEY"], "Appkey": os.environ["APP_KEY"], "Version": "1"}
FLOW = {"Flow": os.environ["FLOW"]}
UUID = os.environ["UUID"]


def code(fault: Fault) -> str:
    """The code that a Fault carries in its detail."""
    items = {item.findtext("key"): item.findtext("value") for item in fault.detail.iter("item")}
    return str(items["code"])


def call(operation: str, given: dict[str, Any], credentials: dict[str, str] | None = KEYS) -> str:
    authentication = {"AuthenticationObject": credentials} if credentials else {}
    try:
        answer = getattr(client.service, operation)(input=authentication | given)
    except Fault as fault:
        print(f"{operation} fault {code(fault)} {fault.message}")
        return ""
    print(f"{operation} {answer.Code} {answer.Id} {answer.Message}")
    return answer.Resource or ""


def encoded(document: Any) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


def same(found: Any, expected: Any) -> None:
    print("same" if found == expected else f"different: {found}")


(port,) = client.wsdl.services["Flowize"].ports.values()
print("operations", len(port.binding._operations))
document = {"name": 'Zoë <&> "q" 漢字 😀\nline', "n": [1, 2.5, None, True]}
call("deleteSchema", {})
schema = {"SchemaObject": {"Schema": encoded({"type": "object"}), "DataRecord": encoded({"a": 1})}}
call("insertSchema", schema)
call("updateSchema", schema)
same(json.loads(base64.b64decode(json.loads(call("getSchema", {}))["schema"])), {"type": "object"})
record = {
    "DataRecordObject": {"Uuid": UUID, "Data": encoded(document), "ExecutionTime": "2099-01-01T00:00:00Z"},
    "FlowDiagramObject": FLOW,
}
created = json.loads(base64.b64decode(call("insertRecord", record)))
same([created["data_record_id"], created["data_record"]], [UUID, document])
same(json.loads(call("getRecord", {"DataRecordObject": {"Uuid": UUID}})), document)
call("insertRecord", record)
call("insertRecord", {"DataRecordObject": {"Data": encoded(5)}, "FlowDiagramObject": FLOW})
changed = {"DataRecordObject": {"Uuid": UUID, "Data": encoded({"new": 1})}}
same(json.loads(base64.b64decode(call("updateRecord", changed)))["data_record"], {"new": 1})
call("deleteRecord", {"DataRecordObject": {"Uuid": UUID}})
call("getRecord", {"DataRecordObject": {"Uuid": UUID}})
call("getRecord", {"DataRecordObject": {"Uuid": UUID}}, KEYS | {"Apikey": "wrong"})
same(json.loads(call("getFlowDiagram", {"FlowDiagramObject": FLOW}))["flow_name"], FLOW["Flow"])
call("changeFlowStatus", {"FlowDiagramObject": FLOW | {"Status": "paused"}})
call("changeFlowStatus", {"FlowDiagramObject": FLOW | {"Status": "running"}})
for uri in (os.environ["WEBHOOK"], "unknown"):
    call("webhook", {"Uri": uri, "Payload": json.dumps(document)}, credentials=None)
