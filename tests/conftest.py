"""The private database of the test run, and the cast: Acme, Acme's narrow application, Rival who must see nothing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
from django.conf import settings

from flowize.postgres import PrivateServer
from tests.home import HOME

_SERVER = None if os.environ.get("DATABASE_URL") else PrivateServer(HOME, fsync=False)


# A machine at work is no reason to fail, and the same commit must find the same.
hypothesis.settings.register_profile(
    "flowize", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("flowize")


def pytest_configure(config: pytest.Config) -> None:
    """Every worker process uses the same server, each a database of its own."""
    name = f"test_flowize_{os.environ['FLOWIZE_TEST_RUN']}"
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = name
    if _SERVER:
        _SERVER.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last one stops it."""
    if _SERVER:
        _SERVER.stop()


@dataclass
class Tenant:
    """An organization with a project, its Designer workspace and the applications of the cast."""

    name: str
    organization: Any
    project: Any
    workspace: Any
    caller: Any
    api_key: str
    keys: Any
    oauth: Any
    client_secret: str
    narrow: Any
    flow: Any = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """The key headers of the application with all scopes."""
        return {"X-Apikey": self.api_key, "X-App": self.keys.app_key}

    @property
    def narrow_headers(self) -> dict[str, str]:
        """Those of the application that may only read records."""
        return {"X-Apikey": self.api_key, "X-App": self.narrow.app_key}

    @property
    def client_headers(self) -> dict[str, str]:
        """The headers of the token calls."""
        return {
            "client_id": self.oauth.client_id,
            "client_secret": self.client_secret,
            "grant_type": "client_credentials",
        }


def build_tenant(name: str) -> Tenant:
    """A complete tenant of that name."""
    from apps.accounts.models import Organization, Project, Role, Workspace
    from apps.applications import services
    from apps.applications.members import member_caller
    from apps.applications.scopes import SCOPES

    organization = Organization.objects.create(name=name)
    project = Project.objects.create(organization=organization, name=f"{name} project")
    workspace = Workspace.objects.create(project=project, time_zone="Europe/Amsterdam")
    shared = {"addresses": "127.0.0.1", "rate_limit": 0}
    keys = services.register_application(
        project, name=f"{name}-keys", oauth2=False, url_keys=True, scopes=list(SCOPES), **shared
    )
    oauth = services.register_application(project, name=f"{name}-oauth", oauth2=True, scopes=list(SCOPES), **shared)
    narrow = services.register_application(
        project, name=f"{name}-narrow", oauth2=False, scopes=["record.read"], **shared
    )
    return Tenant(
        name=name,
        organization=organization,
        project=project,
        workspace=workspace,
        caller=member_caller(workspace, Role.OWNER, "127.0.0.1"),
        api_key=services.rotate_project_key(project),
        keys=keys.application,
        oauth=oauth.application,
        client_secret=oauth.client_secret,
        narrow=narrow.application,
    )


STRAIGHT_FLOW = {
    "format": "flow/1",
    "name": "intake",
    "start": "start",
    "objects": {
        "start": {"type": "start", "next": {"ok": "adult"}},
        "adult": {
            "type": "decision",
            "text": "Of age?",
            "rules": [{"port": "yes", "when": "client.age >= 18"}],
            "next": {"yes": "accept", "else": "refer"},
        },
        "accept": {"type": "set", "set": {"result": "accepted"}, "next": {"ok": "end"}},
        "refer": {"type": "set", "set": {"result": "referred"}, "next": {"ok": "end"}},
        "end": {"type": "end"},
    },
}


def publish(tenant: Tenant, document: dict[str, Any], name: str | None = None) -> Any:
    """A running flow of that document."""
    from apps.flows import services

    flow = services.create_flow(tenant.caller, name=name or document["name"])
    services.save_draft(tenant.caller, flow, services.format_source(document))
    return services.change_status(tenant.caller, flow, "public")


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    """Nothing remembered from another test; a test database that is made anew gives the same ids again."""
    yield
    from apps.applications.authentication import forget_credentials
    from apps.flows.selectors import program
    from apps.records.fields import forget_fields
    from apps.records.hosts import forget_hosts
    from apps.records.limits import forget_limits
    from apps.schemas.selectors import compiled

    compiled.cache_clear()
    program.cache_clear()
    forget_credentials()
    forget_fields()
    forget_hosts()
    forget_limits()


@pytest.fixture
def acme(db: None) -> Tenant:
    """The tenant the tests act for, with the flow ``intake`` running."""
    tenant = build_tenant("acme")
    tenant.flow = publish(tenant, STRAIGHT_FLOW)
    return tenant


@pytest.fixture
def rival(db: None) -> Tenant:
    """The tenant who must see nothing of Acme's."""
    tenant = build_tenant("rival")
    tenant.flow = publish(tenant, STRAIGHT_FLOW)
    return tenant
