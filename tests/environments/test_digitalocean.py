"""The second driver, against a stand-in for the API it calls."""

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

import pytest

from apps.environments import execution
from apps.environments.execution import work
from apps.environments.models import Environment, EnvironmentJob
from apps.environments.packages import PACKAGES
from apps.environments.packages import REGIONS as OUR_REGIONS
from apps.environments.provisioning.digitalocean import REGIONS, SIZES
from apps.environments.provisioning.local import Local
from tests.conftest import Tenant
from tests.environments.cloud import TOKEN, Cloud, Service
from tests.environments.conftest import ORDER, Caller


@pytest.fixture
def cloud(settings: Any) -> Iterator[Cloud]:
    """The driver in use, its API on loopback."""
    cloud = Cloud()
    service = Service(cloud)
    settings.ENVIRONMENT_DRIVER = "digitalocean"
    settings.DIGITALOCEAN_URL, settings.DIGITALOCEAN_TOKEN = service.url, TOKEN
    settings.DIGITALOCEAN_DATABASE_URL = "postgresql://flowize@db.example/flowize"
    settings.DIGITALOCEAN_SOURCE = "https://git.example/flowize.git"
    settings.EGRESS_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    yield cloud
    service.close()


def carry_on(cloud: Cloud, most: int = 30) -> list[str]:
    """Work until nothing is left, the cloud finishing what was begun in between; the messages of the pauses."""
    for _ in range(most):
        EnvironmentJob.objects.filter(state="queued").update(wake_at="2000-01-01T00:00:00Z")
        if not work():
            job = EnvironmentJob.objects.first()
            assert job is not None
            return [line.message for line in job.lines.all()]
        cloud.tick()
    raise AssertionError("the job never ends")


def test_every_region_and_package_has_its_counterpart() -> None:
    assert set(REGIONS) == set(OUR_REGIONS) == set(Local().regions())
    assert set(SIZES) == set(PACKAGES)


def test_from_order_to_end(call: Caller, acme: Tenant, cloud: Cloud) -> None:
    made = call("POST", "", ORDER | {"region": "New York"}, status=201)
    said = carry_on(cloud)
    assert "The server starts." in said
    assert "The volume is being attached." in said
    found = call("GET", f"/{made['id']}")
    assert (found["status"], found["ip"]) == ("ready", "203.0.113.50")
    (droplet,) = cloud.droplets.values()
    name = f"flowize-env-{made['id']}"
    assert (droplet["name"], droplet["size_slug"], droplet["region"]) == (name, "s-1vcpu-2gb", {"slug": "nyc3"})
    (volume,) = cloud.volumes.values()
    assert (volume["size_gigabytes"], volume["droplet_ids"], volume["region"]) == (20, [droplet["id"]], "nyc3")
    (firewall,) = cloud.firewalls.values()
    assert [rule["ports"] for rule in firewall["inbound_rules"]] == ["22", "80", "443"]
    call("POST", f"/{made['id']}/upgrade", {"package": "SS-C"})
    assert carry_on(cloud)[:3] == [
        "The server is switched off.", "The server gets its new size.", "The server starts again.",
    ]  # fmt: skip
    assert (droplet["size_slug"], droplet["status"], volume["size_gigabytes"]) == ("s-4vcpu-8gb", "active", 80)
    call("POST", f"/{made['id']}/project/{acme.project.pk}", {})
    carry_on(cloud)
    assert call("GET", f"/{made['id']}")["projects"] == [str(acme.project.pk)]
    call("DELETE", f"/{made['id']}")
    carry_on(cloud)
    assert call("GET", f"/{made['id']}/status")["status"] == "deleted"
    assert (cloud.droplets, cloud.volumes, cloud.firewalls) == ({}, {}, {})


def test_server_installs_this_project(call: Caller, cloud: Cloud) -> None:
    call("POST", "", ORDER, status=201)
    carry_on(cloud)
    head, _, text = cloud.user_data.partition("\n")
    document = json.loads(text)
    assert head == "#cloud-config"
    assert document["runcmd"][0] == ["git", "clone", "--depth", "1", "https://git.example/flowize.git", "/opt/flowize"]
    variables = document["write_files"][0]
    assert variables["permissions"] == "0600"
    assert "DATABASE_URL=postgresql://flowize@db.example/flowize\n" in variables["content"]
    assert f"{Environment.objects.get().api_host}" in variables["content"]


def test_worker_that_dies_after_any_call_makes_nothing_twice(
    call: Caller, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dying(place: str, subject: str = "") -> None:
        if place == "before-job-checkpoint":
            deaths.append(place)
            if len(deaths) % 2:
                raise Killed

    deaths: list[str] = []
    monkeypatch.setattr(execution, "failpoint", dying)
    answer = cloud.answer

    def dying_after(*arguments: Any) -> tuple[int, Any]:
        status, document = answer(*arguments)
        if arguments[0] != "GET" and len(deaths) < 6:
            deaths.append(arguments[1])
            return 500, {"message": "the answer was lost"}
        return status, document

    monkeypatch.setattr(cloud, "answer", dying_after)
    made = call("POST", "", ORDER, status=201)
    for _ in range(40):
        EnvironmentJob.objects.filter(state__in=["queued", "running"]).update(wake_at="2000-01-01T00:00:00Z")
        try:
            if not work():
                break
        except Killed:
            pass
        cloud.tick()
    assert call("GET", f"/{made['id']}")["status"] == "ready"
    assert (len(cloud.droplets), len(cloud.volumes), len(cloud.firewalls)) == (1, 1, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_what_is_refused_for_good_is_the_reason(call: Caller, cloud: Cloud, status: int) -> None:
    cloud.refusal = (status, "Region is not available")
    call("POST", "", ORDER, status=201)
    carry_on(cloud)
    row = Environment.objects.get()
    assert row.status == "error"
    assert row.status_reason == "DigitalOcean refuses GET /droplets: Region is not available"
    assert TOKEN not in json.dumps(list(EnvironmentJob.objects.get().lines.values()), default=str)


@pytest.mark.parametrize(
    ("url", "said"), [("", "DigitalOcean answers 503."), ("http://127.0.0.1:9/v2", "cannot be reached (connection)")]
)
def test_cloud_that_is_away_is_waited_for(call: Caller, cloud: Cloud, settings: Any, url: str, said: str) -> None:
    settings.DIGITALOCEAN_URL = url or settings.DIGITALOCEAN_URL
    cloud.refusal = (503, "maintenance")
    call("POST", "", ORDER, status=201)
    assert work()
    job = EnvironmentJob.objects.get()
    assert (job.state, job.attempts) == ("queued", 0)
    assert said in job.lines.get().message


def test_wrong_token(call: Caller, cloud: Cloud, settings: Any) -> None:
    settings.DIGITALOCEAN_TOKEN = "wrong"
    call("POST", "", ORDER, status=201)
    carry_on(cloud)
    assert Environment.objects.get().status_reason.endswith("Unable to authenticate you")
