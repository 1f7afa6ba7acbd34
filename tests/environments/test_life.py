"""Environments from their order to their end, by calls of the API."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.xmlio import read_xml
from apps.environments.execution import work, work_all
from apps.environments.models import Environment, EnvironmentJob, JobState, Status
from tests.conftest import Tenant
from tests.environments.conftest import ORDER, Caller, make_ready, organization_key

DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
HOST = r"[a-z0-9]{24}\.localhost"
KEYS = [
    "id", "name", "description", "date_created", "date_updated", "info", "status", "projects", "package", "software",
    "base_storage", "total_storage", "storage_addons", "storage_info", "active", "ip",
]  # fmt: skip


def test_order_is_answered_at_once(call: Caller) -> None:
    made = call("POST", "/", ORDER | {"description": "What customers use"}, status=201)
    assert list(made) == KEYS
    assert (made["name"], made["description"], made["status"]) == ("Production", "What customers use", "creating")
    assert made["info"] == {"frontend_url": "", "api_url": "", "html_url": "", "timezone": "Europe/London"}
    assert made["package"] == {"name": "Single Server A", "code": "SS-A"}
    assert made["storage_info"] == {"used": 0.0, "total": 20, "used_percentage": 0.0, "available_percentage": 100.0}
    assert (made["base_storage"], made["total_storage"], made["storage_addons"]) == (20, 20, [])
    assert (made["projects"], made["active"]) == ([], 1)
    assert DATE.fullmatch(made["date_created"])
    assert call("GET", f"/{made['id']}/status") == {"id": made["id"], "status": "creating"}


def test_an_order_is_answered_in_xml_as_in_json(call: Caller, environment: Environment) -> None:
    headers = {"X-Apikey": call.key, "Accept": "application/xml"}
    answer = Client().post(f"/v1/environment/{environment.pk}/optimize", headers=headers)
    shown = read_xml(answer.content)
    assert isinstance(shown, dict)
    assert shown["data"]["status"] == "upgrading"
    assert shown["data"].keys() == set(KEYS)


def test_a_description_may_have_lines(call: Caller, environment: Environment) -> None:
    changed = call("POST", f"/{environment.pk}", {"description": " Shop\r\n\tof Acme\n"})
    assert changed["description"] == "Shop\n\tof Acme"
    work_all()
    for fault in ({"description": "a\u0007"}, {"name": "a\nb"}):
        call("POST", f"/{environment.pk}", fault, status=400)


def test_job_makes_it_ready(call: Caller) -> None:
    made = call("POST", "", ORDER, status=201)
    assert work_all() == 1
    found = call("GET", f"/{made['id']}")
    assert list(found) == [*KEYS, "stats", "ssl_certificate"]
    assert (found["status"], found["active"], found["ip"]) == ("ready", 1, "127.0.0.1")
    labels = set()
    for name, prefix in (("frontend_url", "www"), ("api_url", "api"), ("html_url", "web")):
        assert re.fullmatch(f"{prefix}-{HOST}", found["info"][name])
        labels.add(found["info"][name][4:])
    assert len(labels) == 1
    assert found["ssl_certificate"] is None
    assert found["stats"] == {
        "status": "OK",
        "current_storage": 0.0,
        "visits": 0,
        "records": 0,
        "batches": 0,
        "webhooks": 0,
        "tasks": 0,
        "avg_performance": 0.0,
        "peak_performance": 0.0,
    }
    assert call("GET") == [{key: found[key] for key in [*KEYS, "stats"]}]


def test_software_is_the_newest_release(call: Caller) -> None:
    made = call("POST", "", ORDER, status=201)
    assert made["software"] == {
        "current_version": {
            "version": "v.0.1.0",
            "date_created": "2026-11-28 00:00:00",
            "blocking_update": 1,
            "changelog": "",
        }
    }


def test_log_names_each_step(call: Caller, environment: Environment) -> None:
    job = environment.jobs.get()
    assert (job.state, job.kind, job.requested_by) == ("done", "create", "API key")
    lines = list(job.lines.all())
    assert [line.step for line in lines] == ["allocate", "storage", "open", "ready"]
    assert all(line.finished_at and line.message and not line.failed for line in lines)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "n" * 129}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"description": "d" * 513}, "description"),
        ({"package": None}, "package"),
        ({"package": "SS-E"}, "package"),
        ({"package": ["SS-A"]}, "package"),
        ({"region": None}, "region"),
        ({"region": "atlantis"}, "region"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": 1}, "timezone"),
    ],
)
def test_order_that_cannot_be_read(call: Caller, fields: dict[str, Any], says: str) -> None:
    error = call("POST", "", {**ORDER, **fields}, status=400)
    assert error["message"].startswith(says)
    assert not Environment.objects.exists()
    assert not EnvironmentJob.objects.exists()


@pytest.mark.parametrize("region", ["new york", "New  York", " SAN FRANCISCO "])
def test_regions_in_any_spelling(call: Caller, region: str) -> None:
    made = call("POST", "", ORDER | {"region": region, "package": " ss-b "}, status=201)
    assert Environment.objects.get().region == " ".join(region.lower().split())
    assert made["package"]["code"] == "SS-B"


def test_html_in_a_name_is_a_name(call: Caller) -> None:
    assert call("POST", "", ORDER | {"name": "<b>Shop</b>"}, status=201)["name"] == "<b>Shop</b>"


def test_no_zone_is_the_installations(call: Caller) -> None:
    made = call("POST", "", {"name": "E", "package": "SS-A", "region": "london"}, status=201)
    assert made["info"]["timezone"] == "Europe/Amsterdam"


def test_upgrade_to_a_larger_package(call: Caller, environment: Environment) -> None:
    answered = call("POST", f"/{environment.pk}/upgrade", {"package": "SS-C", "storage": 50})
    assert list(answered) == KEYS
    assert (answered["status"], answered["package"]["code"], answered["base_storage"]) == ("upgrading", "SS-C", 80)
    work_all()
    found = call("GET", f"/{environment.pk}")
    assert (found["status"], found["package"]["code"], found["total_storage"]) == ("ready", "SS-C", 80)


def test_upgrade_passes_through_upgraded(call: Caller, environment: Environment) -> None:
    call("POST", f"/{environment.pk}/upgrade", {"storage": 100})
    seen = set()
    original = Environment.save

    def noting(self: Environment, *args: Any, **kwargs: Any) -> None:
        seen.add(self.status)
        original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "save", noting)
        work_all()
    assert {"upgraded", "ready"} <= seen
    assert [line.step for line in environment.jobs.first().lines.all()][-2:] == ["upgraded", "ready"]  # type: ignore[union-attr]


def test_more_storage(call: Caller, environment: Environment) -> None:
    for number in (1, 2):
        answered = call("POST", f"/{environment.pk}/upgrade", {"storage": 100})
        assert (answered["storage_addons"], answered["total_storage"]) == ([100] * number, 20 + 100 * number)
        work_all()
    found = call("GET", f"/{environment.pk}")
    assert (found["base_storage"], found["total_storage"], found["storage_addons"]) == (20, 220, [100, 100])


@pytest.mark.parametrize(
    "body",
    [
        {}, {"package": "SS-A"}, {"package": "SS-Z"}, {"storage": 50}, {"storage": -100}, {"storage": 1e9},
        {"storage": True}, {"storage": "many"}, {"storage": [100]}, {"package": 7}, [], 5,
    ],
)  # fmt: skip
def test_upgrade_that_cannot_be_read(call: Caller, environment: Environment, body: Any) -> None:
    call("POST", f"/{environment.pk}/upgrade", body, status=400)
    assert Environment.objects.get().status == "ready"
    assert environment.jobs.count() == 1


@pytest.mark.parametrize("act", ["update-version", "optimize", "upgrade"])
def test_every_upgrade_says_upgrading(call: Caller, environment: Environment, act: str) -> None:
    answered = call("POST", f"/{environment.pk}/{act}", {"storage": 100} if act == "upgrade" else None)
    assert answered["status"] == "upgrading"
    assert list(answered) == KEYS


@pytest.mark.parametrize("status", [s for s in Status.values if s not in ("ready", "error", "deleted")])
def test_nothing_else_while_something_is_under_way(call: Caller, environment: Environment, status: str) -> None:
    Environment.objects.update(status=status)
    for method, path, body in MUTATING:
        error = call(method, f"/{environment.pk}{path}", body, status=409)
        assert status in error["message"]
    assert Environment.objects.get().status == status
    assert environment.jobs.count() == 1
    call("GET", f"/{environment.pk}")


MUTATING: list[tuple[str, str, Any]] = [
    ("POST", "", {"name": "New"}),
    ("POST", "/upgrade", {"package": "SS-B"}),
    ("POST", "/update-version", None),
    ("POST", "/optimize", None),
    ("POST", "/project/1", {}),
    ("DELETE", "/project/1", None),
    ("POST", "/urls", [{"project_id": 1, "url": "/", "name": "w", "type": "website"}]),
    ("DELETE", "/urls", [{"project_id": 1, "url": "/", "type": "website"}]),
    ("DELETE", "", None),
]
READING = [("GET", ""), ("GET", "/status"), ("GET", "/projects"), ("GET", "/urls")]


def test_foreign_and_unknown_are_alike(call: Caller, rival: Tenant, environment: Environment) -> None:
    stranger = Caller(organization_key(rival))
    for method, path, body in [*MUTATING, *((method, path, None) for method, path in READING)]:
        foreign = stranger(method, f"/{environment.pk}{path}", body, status=404)
        for unknown in ("99999999", "0", "-1", "x", "1e3", "9" * 40, "%00", "١"):
            assert stranger(method, f"/{unknown}{path}", body, status=404) == foreign
    assert stranger("GET") == []


def test_a_longer_list_takes_no_more_queries(
    call: Caller, environment: Environment, django_assert_num_queries: Any, acme: Tenant
) -> None:
    with CaptureQueriesContext(connection) as alone:
        call("GET")
    number = len(alone)  # as long as nothing else was asked for
    make_ready(call)
    call("POST", f"/{make_ready(call).pk}/project/{acme.project.pk}", {})
    work_all()
    with django_assert_num_queries(number):
        assert len(call("GET")) == 3


def test_delete_leaves_a_row_that_says_so(call: Caller, environment: Environment) -> None:
    answered = call("DELETE", f"/{environment.pk}")
    assert (answered["status"], answered["active"]) == ("deleting", 0)
    call("DELETE", f"/{environment.pk}", status=409)
    work_all()
    assert call("GET", f"/{environment.pk}/status") == {"id": str(environment.pk), "status": "deleted"}
    assert call("GET") == []
    for method, path, body in [*MUTATING, ("GET", "", None), ("GET", "/projects", None), ("GET", "/urls", None)]:
        call(method, f"/{environment.pk}{path}", body, status=404)
    row = Environment.objects.get()
    assert (row.api_host, row.address, row.driver_state) == (None, None, {})
    assert row.date_deleted is not None


def test_rename_and_describe(call: Caller, environment: Environment) -> None:
    answered = call("POST", f"/{environment.pk}", {"name": " Shop ", "description": "New"})
    assert (answered["name"], answered["description"], answered["status"]) == ("Shop", "New", "updating")
    assert answered["ssl_certificate"] is None
    work_all()
    found = call("GET", f"/{environment.pk}")
    assert (found["name"], found["description"], found["status"]) == ("Shop", "New", "ready")


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": None}, {"description": 5}, {"delete_certificate": "maybe"}, {"delete_certificate": "0"},
     {"pem_file": "text"}, {"name": "x", "chain_files": ["text"]}],
)  # fmt: skip
def test_update_that_cannot_be_read(call: Caller, environment: Environment, body: Any) -> None:
    call("POST", f"/{environment.pk}", body, status=400)
    assert Environment.objects.get().name == "Production"
    assert environment.jobs.count() == 1


def test_key_that_is_off_missing_or_of_another_kind(call: Caller, acme: Tenant, environment: Environment) -> None:
    client = Client()
    path = f"/v1/environment/{environment.pk}"

    def answered(headers: dict[str, str], url: str = path) -> tuple[int, int]:
        response = client.get(url, headers=headers)
        return response.status_code, response.json()["error"]["code"]

    assert answered({}) == (401, 401)
    assert answered({"X-Apikey": acme.api_key}) == (401, 401)
    assert answered(acme.headers) == (401, 401)
    assert answered({"X-Apikey": call.key, "X-App": acme.keys.app_key}) == (401, 401)
    assert answered({"X-Apikey": "0" * 64}) == (401, 401)
    assert answered({"Authorization": f"Bearer {call.key}"}) == (401, 401)
    assert answered({}, f"{path}?api_key={call.key}") == (401, 401)
    acme.organization.api_key_enabled = False
    acme.organization.save()
    assert answered({"X-Apikey": call.key}) == (403, 403)


def test_organization_key_opens_nothing_else(call: Caller, acme: Tenant) -> None:
    assert Client().get("/v1/schema", headers={"X-Apikey": call.key}).status_code == 401
    assert Client().get("/v1/keystore/a/b", headers={"X-Apikey": call.key}).status_code == 401


def test_calls_are_counted(call: Caller, settings: Any) -> None:
    settings.RATE_LIMIT = 2
    headers = {"X-Apikey": call.key}
    answers = [Client().get("/v1/environment", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].json()["error"]["message"] == "Too many requests."


def test_one_job_at_a_time_each_environment_its_own(call: Caller) -> None:
    first, second = call("POST", "", ORDER, status=201), call("POST", "", ORDER, status=201)
    assert EnvironmentJob.objects.filter(state=JobState.QUEUED).count() == 2
    assert [work(), work(), work()] == [True, True, False]
    assert {call("GET", f"/{row['id']}/status")["status"] for row in (first, second)} == {"ready"}


def test_job_is_not_done_before_its_time(call: Caller) -> None:
    call("POST", "", ORDER, status=201)
    EnvironmentJob.objects.update(wake_at=timezone.now() + timedelta(minutes=1))
    assert work() is False


def test_make_ready_helper_names_packages(call: Caller) -> None:
    assert make_ready(call, package="SS-D").package.concurrency == 64


def test_order_that_is_repeated_is_carried_out_once(call: Caller, rival: Tenant) -> None:
    key = {"headers": {"Idempotency-Key": "order-1"}}
    first = call("POST", "", ORDER, status=201, **key)
    assert call("POST", "", ORDER, status=201, **key) == first
    assert Environment.objects.count() == 1
    assert "another request" in call("POST", "", ORDER | {"name": "Other"}, status=409, **key)["message"]
    call("POST", "", ORDER, status=201)
    Caller(organization_key(rival))("POST", "", ORDER, status=201, **key)
    assert Environment.objects.count() == 3
    call("POST", "", ORDER | {"package": ""}, status=400, headers={"Idempotency-Key": "order-2"})
    call("POST", "", ORDER, status=201, headers={"Idempotency-Key": "order-2"})
    call("POST", "", ORDER, status=400, headers={"Idempotency-Key": "with blank"})
