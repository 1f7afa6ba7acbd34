"""What the calls of the contract tests speak of: each thing is made when it is first named."""

from datetime import timedelta
from functools import cached_property
from typing import Any

from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from apps.applications import services as applications
from apps.applications.models import Application, RefreshToken
from apps.applications.scopes import SCOPES
from apps.flows import services as flows
from apps.flows.models import Flow
from apps.records.models import Hold, Record, Status
from apps.records.services import create_records
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.contract.builders import schema_body

HERE = "127.0.0.1"
ELSEWHERE = "10.9.8.7"
GOOD = {"client": [{"name": "Ada", "age": 36}]}
SCHEMA = {
    "type": "object",
    "properties": {
        "client": {"type": "array", "items": {"type": "object", "properties": {"age": {"type": "integer"}}}},
        "list": {"type": "array", "uniqueItems": True},
        "s": {"type": "string", "pattern": "^(a+)+$"},
    },
}
SECRET_STEP = "Bearer step-secret-0001"


class Side:
    """One tenant's things. Reading an attribute makes what it names; calls refer to them by name."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.api_key = tenant.api_key
        self.app = tenant.keys.app_key
        self.client_id = tenant.oauth.client_id
        self.client_secret = tenant.client_secret
        self.project = str(tenant.project.pk)
        self.flow = "intake"
        # A limit of their own, so that answers say where the caller stands.
        Application.objects.filter(project=tenant.project).update(rate_limit=1000)

    # --- Applications and credentials ---

    @cached_property
    def app_name(self) -> str:
        return str(self.tenant.keys.name)

    @cached_property
    def oauth_app(self) -> str:
        return str(self.tenant.oauth.app_key)

    @cached_property
    def key_client_id(self) -> str:
        """The client id of the application that has OAuth 2 off."""
        return str(self.tenant.keys.client_id)

    @cached_property
    def elsewhere_app(self) -> str:
        """An application whose list has another address only."""
        return self._application("elsewhere", addresses=ELSEWHERE).app_key

    @cached_property
    def header_only_app(self) -> str:
        """An application that may not send its keys in the URL."""
        return self._application("headers-only", url_keys=False).app_key

    @cached_property
    def disabled_app(self) -> str:
        return self._application("disabled", active=False).app_key

    @cached_property
    def disabled_client_id(self) -> str:
        return self._disabled_client[0]

    @cached_property
    def disabled_client_secret(self) -> str:
        return self._disabled_client[1]

    @cached_property
    def _disabled_client(self) -> tuple[str, str]:
        made = self._registered("disabled-client", oauth2=True, active=False)
        return made.application.client_id, made.client_secret

    @cached_property
    def old_api_key(self) -> str:
        """The project's key before it was replaced; naming it replaces the key."""
        old = self.api_key
        self.api_key = applications.rotate_project_key(self.tenant.project)
        return old

    @cached_property
    def swapped_api_key(self) -> str:
        return self.api_key.swapcase()

    @cached_property
    def organization_key(self) -> str:
        return applications.rotate_organization_key(self.tenant.organization)

    def _registered(self, name: str, **fields: Any) -> Any:
        usual = {"oauth2": False, "url_keys": True, "addresses": HERE, "scopes": list(SCOPES), "rate_limit": 1000}
        name = f"{self.tenant.name}-{name}"
        return applications.register_application(self.tenant.project, name=name, **usual | fields)

    def _application(self, name: str, **fields: Any) -> Any:
        return self._registered(name, **fields).application

    # --- Tokens ---

    @cached_property
    def _bought(self) -> dict[str, Any]:
        headers = {"client_id": self.client_id, "client_secret": self.client_secret, "grant_type": "client_credentials"}
        resource: dict[str, Any] = Client().get("/v1/checkauthentication", headers=headers).json()["resource"]
        return resource

    @cached_property
    def token(self) -> str:
        return str(self._bought["access_token"])

    @cached_property
    def refresh_token(self) -> str:
        return str(self._bought["refresh_token"])

    @cached_property
    def expired_token(self) -> str:
        token = self.token
        AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
        return token

    @cached_property
    def revoked_token(self) -> str:
        token = self.token
        AccessToken.objects.all().delete()
        return token

    @cached_property
    def revoked_refresh_token(self) -> str:
        token = self.refresh_token
        RefreshToken.objects.update(revoked_at=timezone.now())
        return token

    # --- Schema, flows ---

    @cached_property
    def schema(self) -> str:
        """The data schema in force."""
        self.send("POST", "/v1/schema", schema_body(SCHEMA, GOOD), status=201)
        return "schema"

    @cached_property
    def schema_etag(self) -> str:
        return str(self.send("GET", self.schema and "/v1/schema")["ETag"])

    @cached_property
    def schema_etag_weak(self) -> str:
        return f"W/{self.schema_etag}"

    @cached_property
    def flow_id(self) -> str:
        return str(self.tenant.flow.pk)

    @cached_property
    def other_flow(self) -> str:
        publish(self.tenant, STRAIGHT_FLOW, "other")
        return "other"

    @cached_property
    def paused_flow(self) -> str:
        flows.change_status(self.tenant.caller, publish(self.tenant, STRAIGHT_FLOW, "paused"), "paused")
        return "paused"

    @cached_property
    def _inactive(self) -> Flow:
        return flows.change_status(self.tenant.caller, publish(self.tenant, STRAIGHT_FLOW, "inactive"), "inactive")

    @cached_property
    def inactive_flow(self) -> str:
        return self._inactive.name

    @cached_property
    def inactive_flow_id(self) -> str:
        return str(self._inactive.pk)

    @cached_property
    def _draft(self) -> Flow:
        flow = flows.create_flow(self.tenant.caller, name="draft")
        broken = STRAIGHT_FLOW | {"objects": {"end": {"type": "end"}}}
        flows.save_draft(self.tenant.caller, flow, flows.format_source(broken))
        return flow

    @cached_property
    def draft_flow(self) -> str:
        """A flow that was never published; its draft has no start."""
        return self._draft.name

    @cached_property
    def draft_flow_id(self) -> str:
        return str(self._draft.pk)

    @cached_property
    def secret_flow(self) -> str:
        """A flow with a credential in the configuration of a step."""
        call = {"method": "GET", "url": "http://192.0.2.1/", "headers": {"Authorization": SECRET_STEP}}
        objects = {
            "start": {"type": "start", "next": {"ok": "call"}},
            "call": {"type": "app", "app": "core.http", "with": call | {"save_to": "a"}, "next": {"ok": "end"}},
            "end": {"type": "end"},
        }
        publish(self.tenant, {"format": "flow/1", "name": "secret", "start": "start", "objects": objects})
        return "secret"

    # --- Records ---

    @cached_property
    def record(self) -> str:
        return self.new_record("first")

    @cached_property
    def record2(self) -> str:
        return self.new_record("second")

    @cached_property
    def processing_record(self) -> str:
        """A record that a worker has at this moment."""
        row = self._changed(self.new_record("processing"), status=Status.PROCESSING)
        row.update(wake_at=timezone.now() + timedelta(minutes=5), date_started=timezone.now(), num_runs=1)
        return "processing"

    @cached_property
    def failed_record(self) -> str:
        self._changed(self.new_record("failed"), status=Status.FAILED, hold=Hold.ERROR, wake_at=None, at="adult")
        return "failed"

    @cached_property
    def finished_record(self) -> str:
        self._changed(self.new_record("finished"), status=Status.FINISHED, wake_at=None, at="end")
        return "finished"

    def new_record(self, uuid: str, document: Any = None) -> str:
        """A record that waits for its worker."""
        create_records(self.tenant.caller, [document or GOOD], flow_name=self.flow, uuid=uuid)
        return uuid

    def _changed(self, uuid: str, **fields: Any) -> Any:
        rows = Record.objects.filter(workspace=self.tenant.workspace, uuid=uuid)
        rows.update(**fields)
        return rows

    # --- Calls ---

    def send(self, method: str, path: str, body: Any = "", status: int = 200) -> Any:
        """A call of the tenant's own that must work."""
        response = Client().generic(method, path, body, "application/json", headers=self.tenant.headers)
        assert response.status_code == status, response.content
        return response

    def secrets(self) -> list[str]:
        """What no refusal may repeat."""
        return [self.api_key, self.client_secret, self.tenant.organization.api_key_hash or self.api_key]


class Stage:
    """Both sides; a name without a side is Acme's."""

    def __init__(self, acme: Tenant, rival: Tenant) -> None:
        self.sides = {"acme": Side(acme), "rival": Side(rival)}

    @property
    def acme(self) -> Side:
        return self.sides["acme"]

    @property
    def rival(self) -> Side:
        return self.sides["rival"]

    def named(self, name: str) -> str:
        """The thing of that name: ``record``, ``rival.record``."""
        side, _, attribute = name.rpartition(".")
        return str(getattr(self.sides[side or "acme"], attribute))


