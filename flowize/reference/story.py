"""The requests of the Postman collection, in an order in which a run of all works, leaves nothing and can be repeated.

Values in double braces are variables; those that are no credentials are set on the way.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowize.demo.content import KEYSTORES, SAMPLE, SCHEMA, TABLE_NAME

LATER = "2099-01-01T00:00:00+00:00"  # a record that waits is in nobody's hands


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request: the operation, the headers and (in braces) the parts of the path it sends, and what is asked of its
    answer.

    ``keeps`` are variables and the places in the answer they are set from, ``sets`` variables and the JavaScript they
    are set from before the request. ``token`` sends the access token in the place of the keys. ``until`` repeats the
    request until an environment has that status. ``folder`` is where it
    stands when that is not with the other calls of its tag.
    """

    operation: str
    title: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    message: str = ""
    keeps: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    token: bool = False
    folder: str = ""
    until: str = ""


def _encoded(document: Any) -> str:
    """As the demonstration stores it, so that a run leaves it as it was."""
    return base64.b64encode(json.dumps(document, indent=2).encode()).decode()


SCHEMA_BODY = {"schema": _encoded(SCHEMA), "data_record": _encoded(SAMPLE), "url": "https://example.com/client"}
FLOW = {"X-Flow": "{{flow}}"}
RECORD = {"X-Uuid": "{{record}}", "{uuid}": "{{record}}"}
OTHER = {name: f"{value}-other" for name, value in RECORD.items()}
TOKENS = {"access_token": "resource.access_token", "refresh_token": "resource.refresh_token"}
GRANT = {"grant_type": "client_credentials"}
REFRESH = GRANT | {"refresh_token": "{{refresh_token}}"}

KEY = {"{keystore_id}": KEYSTORES[0][0], "{key}": "postman"}
STORED = {"temp": 15, "wind": "2 km/h S", "city": "London"}
KEY_REMOVED = f"Successfully deleted key {KEY['{key}']} in keystore {KEYSTORES[0][0]}"
TABLE = {"{table}": TABLE_NAME}
ROW = {"username": "postman", "age": 54}
THE_ROW = TABLE | {"{row}": "{{row}}"}
BY_ID = {"condition": "AND", "rules": [{"field": "id", "operator": "=", "value": "{{row}}"}]}
ROW_REMOVED = f"Successfully deleted row {{{{row}}}} in table {TABLE_NAME}"

PLACE = {"{environment_id}": "{{environment}}", "{project_id}": "{{project_id}}"}
PAGE = {"project_id": "{{project_id}}", "url": "/welcome", "type": "hostedpage"}


def _ready(title: str, status: str = "ready") -> Step:
    return Step(operation="getEnvironmentStatus", title=title, values=PLACE, until=status)


STORY: Sequence[Step] = (
    Step(operation="checkAuthentication", values=GRANT, keeps=TOKENS),
    Step(operation="checkAuthenticationPost", title="The same with POST", values=GRANT, keeps=TOKENS),
    Step(operation="refreshToken", values=REFRESH, keeps={"access_token": "resource.access_token"}),
    Step(
        operation="refreshTokenPost",
        title="The same with POST",
        values=REFRESH,
        keeps={"access_token": "resource.access_token"},
    ),
    Step(operation="deleteSchema"),
    Step(operation="insertSchema", body=SCHEMA_BODY),
    Step(operation="updateSchema", body=SCHEMA_BODY),
    Step(operation="getSchema"),
    Step(operation="getFlowDiagram", values=FLOW, token=True),
    Step(
        operation="changeFlowStatus",
        title="Pause a flow",
        values=FLOW | {"X-Status": "paused"},
        message="Flow diagram has been paused successfully",
    ),
    Step(
        operation="insertRecord",
        values=FLOW | RECORD | {"X-Executiontime": LATER},
        body=SAMPLE,
        sets={"record": '"postman-" + Date.now()'},
    ),
    Step(operation="getRecord", values=RECORD),
    Step(operation="getRecordByUuid", values=RECORD, title="Read a record by its address"),
    Step(operation="updateRecord", values=RECORD, body=SAMPLE),
    Step(operation="updateRecordByUuid", values=RECORD, body=SAMPLE, title="Replace a record by its address"),
    Step(operation="searchRecords", values={"X-Uuid": "{{record}}"}),
    Step(operation="searchRecordsPut", body={"uuid": "{{record}}"}, title="The same with PUT"),
    Step(
        operation="changeQueueStatus",
        values={"X-Queue-Status": "pause-queue"},
        body=["{{record}}"],
        message="1 datarecords paused",
    ),
    # The flow is paused, so that no worker takes the record that is due now.
    Step(operation="moveToFlow", values={"X-MoveToFlow-Flow": "{{flow}}"}, body=["{{record}}"]),
    Step(
        operation="insertRecord",
        title="Insert another record",
        values=FLOW | OTHER | {"X-Executiontime": LATER},
        body=SAMPLE,
    ),
    Step(operation="deleteRecord", values=RECORD),
    Step(operation="deleteRecordByUuid", values=OTHER, title="Remove a record by its address"),
    Step(
        operation="changeFlowStatus",
        title="Resume a flow",
        values=FLOW | {"X-Status": "running"},
        message="Flow diagram has been resumed successfully",
        folder="Records",
    ),
    Step(
        operation="changeFlowStatus",
        title="Pause the flow, so that no worker takes the record",
        values=FLOW | {"X-Status": "paused"},
        message="Flow diagram has been paused successfully",
        folder="URL triggers",
    ),
    Step(
        operation="callUrl",
        values={"{secret}": "{{url_secret}}"},
        body=SAMPLE,
        keeps={"called": "resource.data_record_id"},
    ),
    Step(
        operation="deleteRecord",
        title="Remove the record that the URL made",
        values={"X-Uuid": "{{called}}"},
        folder="URL triggers",
    ),
    Step(
        operation="changeFlowStatus",
        title="Resume the flow",
        values=FLOW | {"X-Status": "running"},
        message="Flow diagram has been resumed successfully",
        folder="URL triggers",
    ),
    Step(operation="updateKey", values=KEY, body=STORED),
    Step(operation="deleteKey", values=KEY, message=KEY_REMOVED),
    Step(operation="insertKey", values=KEY, body=STORED),
    Step(operation="getKey", values=KEY),
    Step(operation="searchKeystore", values=KEY),
    Step(operation="deleteKey", title="Remove the key again", values=KEY, message=KEY_REMOVED),
    Step(operation="insertRowByTable", values=TABLE, body=ROW, keeps={"row": "data[0].id"}),
    Step(operation="getRow", values=THE_ROW),
    Step(operation="searchRows", values=TABLE),
    Step(operation="updateRowsByRow", values=THE_ROW, body={"age": 55}, title="Change a row"),
    Step(operation="updateRowsByTable", values=TABLE, body={"age": 56, "where": BY_ID}),
    Step(operation="deleteRow", values=THE_ROW, message=ROW_REMOVED),
    Step(
        operation="insertRowByRow",
        title="Insert a row by an address with an id",
        values=THE_ROW,
        body=ROW,
        keeps={"row": "data[0].id"},
    ),
    Step(operation="deleteRow", title="Remove it, too", values=THE_ROW, message=ROW_REMOVED),
    Step(operation="webhook", values={"{uri}": "{{webhook_uri}}"}),
    Step(operation="createEnvironment", keeps={"environment": "data.id"}),
    _ready("Wait until it is ready"),
    Step(operation="listEnvironments"),
    Step(operation="getEnvironment", values=PLACE),
    Step(operation="updateEnvironment", values=PLACE),
    _ready("Wait until it is updated"),
    Step(operation="upgradeEnvironment", values=PLACE),
    _ready("Wait until it is upgraded"),
    Step(operation="updateEnvironmentVersion", values=PLACE),
    _ready("Wait until it is at the newest release"),
    Step(operation="optimizeEnvironment", values=PLACE),
    _ready("Wait until it is optimized"),
    Step(operation="deployProject", values=PLACE, body={"all_keystores": "insert or update"}),
    _ready("Wait until the project is deployed"),
    Step(operation="listEnvironmentProjects", values=PLACE),
    Step(operation="mapUrls", values=PLACE, body=[PAGE | {"name": "Welcome"}]),
    Step(operation="listUrls", values=PLACE),
    Step(operation="unmapUrls", values=PLACE, body=[PAGE]),
    Step(operation="removeProject", values=PLACE),
    _ready("Wait until the project is removed"),
    Step(operation="deleteEnvironment", values=PLACE),
    _ready("Wait until it is deleted", "deleted"),
    Step(operation="listMethods"),
    Step(operation="getOpenApi"),
    Step(operation="getPostman"),
)
