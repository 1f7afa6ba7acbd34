import hashlib
from typing import Any

import pytest

from apps.accounts.models import Role
from apps.applications.members import member_caller
from apps.core.errors import BadRequest, Conflict, MissingScope, NotFound
from apps.flows import services
from apps.flows.models import Flow, FlowVersion
from apps.flows.selectors import find_flow, flow_lookup, program
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.flows.conftest import draft, flow_in

NOTHING_TO_PUBLISH = "The flow is draft and has no draft to publish."


def cannot(status: str) -> str:
    return f"The flow is {status}: that cannot follow."


# Status, word, and the status that follows or the refusal.
TRANSITIONS = [
    ("empty", "public", Conflict(NOTHING_TO_PUBLISH)),
    ("empty", "paused", Conflict(cannot("draft"))),
    ("empty", "running", Conflict(cannot("draft"))),
    ("empty", "inactive", "inactive"),
    ("draft", "public", "running"),
    ("draft", "paused", Conflict(cannot("draft"))),
    ("draft", "running", Conflict(cannot("draft"))),
    ("draft", "inactive", "inactive"),
    ("running", "public", "running"),
    ("running", "paused", "paused"),
    ("running", "running", "running"),
    ("running", "inactive", "inactive"),
    ("paused", "public", "running"),
    ("paused", "paused", "paused"),
    ("paused", "running", "running"),
    ("paused", "inactive", "inactive"),
    ("inactive", "public", "running"),
    ("inactive", "paused", Conflict(cannot("inactive"))),
    ("inactive", "running", Conflict(cannot("inactive"))),
    ("inactive", "inactive", "inactive"),
]


@pytest.mark.parametrize(("status", "word", "follows"), TRANSITIONS, ids=[f"{s}-{w}" for s, w, _ in TRANSITIONS])
def test_the_transition_table(acme: Tenant, status: str, word: str, follows: Any) -> None:
    flow = flow_in(acme, status)
    before = Flow.objects.values().get(pk=flow.pk)
    if isinstance(follows, Conflict):
        with pytest.raises(Conflict) as caught:
            services.change_status(acme.caller, flow, word)
        assert caught.value.message == follows.message
        assert Flow.objects.values().get(pk=flow.pk) == before
        return
    services.change_status(acme.caller, flow, word)
    flow.refresh_from_db()
    assert flow.status == follows
    assert (flow.live_version is not None) is (status not in ("empty", "draft") or word == "public")


@pytest.mark.parametrize("word", ["", "draft", "PUBLIC", "public ", "deleted"])
def test_other_words(acme: Tenant, word: str) -> None:
    with pytest.raises(BadRequest, match=r"^The status must be one of public, paused, running, inactive\.$"):
        services.change_status(acme.caller, acme.flow, word)


def versions(flow: Flow) -> list[tuple[int, str, bool]]:
    return [(row.number, row.status, row.date_published is not None) for row in flow.versions.order_by("number")]


def test_versions_from_draft_to_retired(acme: Tenant) -> None:
    flow = draft(acme)
    assert versions(flow) == [(1, "draft", False)]
    flow = services.change_status(acme.caller, flow, "public")
    assert versions(flow) == [(1, "published", True)]
    services.save_draft(acme.caller, flow, services.format_source(STRAIGHT_FLOW))
    assert versions(flow) == [(1, "published", True), (2, "draft", False)]
    assert flow.live_version.number == 1
    flow = services.change_status(acme.caller, flow, "public")
    assert versions(flow) == [(1, "retired", True), (2, "published", True)]
    assert flow.live_version.number == 2
    flow = services.change_status(acme.caller, flow, "public")
    assert versions(flow) == [(1, "retired", True), (2, "published", True)]


def test_a_draft_is_replaced_until_it_is_published(acme: Tenant) -> None:
    flow = draft(acme)
    first = flow.versions.get().pk
    source = services.format_source(STRAIGHT_FLOW | {"description": "again"})
    saved = services.save_draft(acme.caller, flow, source)
    assert (saved.pk, saved.number, saved.source) == (first, 1, source)
    assert saved.sha256 == hashlib.sha256(source.encode()).hexdigest()


def test_a_published_document_is_kept_to_the_letter(acme: Tenant) -> None:
    flow = services.create_flow(acme.caller, name="fresh")
    source = services.format_source(STRAIGHT_FLOW).replace("\n", "\n\n")
    services.save_draft(acme.caller, flow, source)
    live = services.change_status(acme.caller, flow, "public").live_version
    assert FlowVersion.objects.get(pk=live.pk).source == source


@pytest.mark.parametrize("source", ["[]", "5", '"x"', "null"])
def test_a_draft_that_is_no_object(acme: Tenant, source: str) -> None:
    with pytest.raises(BadRequest, match=r"^A flow document is a JSON object\.$"):
        services.save_draft(acme.caller, acme.flow, source)


@pytest.mark.parametrize("source", ["", "{", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\u0000"}'])
def test_a_draft_that_is_no_json(acme: Tenant, source: str) -> None:
    with pytest.raises(BadRequest):
        services.save_draft(acme.caller, acme.flow, source)
    assert acme.flow.versions.count() == 1


def test_a_draft_with_problems_is_kept_but_not_published(acme: Tenant) -> None:
    document = STRAIGHT_FLOW | {"objects": {**STRAIGHT_FLOW["objects"], "adult": {"type": "wait", "next": {}}}}
    flow = draft(acme, document)
    with pytest.raises(Conflict) as caught:
        services.change_status(acme.caller, flow, "public")
    assert caught.value.message == "The flow is draft; its draft has problems to solve first."
    assert caught.value.details == tuple(services.problems_of(flow.versions.get().source))
    assert {detail.path.partition("/")[0] for detail in caught.value.details} >= {"adult"}
    flow.refresh_from_db()
    assert (flow.status, flow.live_version, versions(flow)) == ("draft", None, [(1, "draft", False)])


def test_problems_leave_a_running_flow_as_it_is(acme: Tenant) -> None:
    services.save_draft(acme.caller, acme.flow, "{}")
    with pytest.raises(Conflict, match=r"^The flow is running; its draft has problems to solve first"):
        services.change_status(acme.caller, acme.flow, "public")
    acme.flow.refresh_from_db()
    assert (acme.flow.status, acme.flow.live_version.number) == ("running", 1)


def test_a_sound_document_has_no_problems() -> None:
    assert services.problems_of(services.format_source(STRAIGHT_FLOW)) == []


def test_names_are_unique_in_a_workspace(acme: Tenant, rival: Tenant) -> None:
    with pytest.raises(Conflict, match=r"^There is a flow named intake already\.$"):
        services.create_flow(acme.caller, name="intake")
    assert services.create_flow(rival.caller, name="other").workspace_id == rival.workspace.pk


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
def test_writing_needs_the_scope(acme: Tenant, role: Role) -> None:
    caller = member_caller(acme.workspace, role)
    for act in (
        lambda: services.create_flow(caller, name="x"),
        lambda: services.save_draft(caller, acme.flow, "{}"),
        lambda: services.change_status(caller, acme.flow, "paused"),
    ):
        with pytest.raises(MissingScope):
            act()
    acme.flow.refresh_from_db()
    assert acme.flow.status == "running"
    assert services.get_flow(caller, flow_id=None, name="intake") == acme.flow


def test_the_id_wins_over_the_name(acme: Tenant) -> None:
    other = publish(acme, STRAIGHT_FLOW, "other")
    assert find_flow(acme.workspace.pk, flow_id=str(other.pk), name="intake") == other
    assert find_flow(acme.workspace.pk, flow_id="", name="intake") == acme.flow


def test_flows_of_others_are_unknown(acme: Tenant, rival: Tenant) -> None:
    for reference in ({"flow_id": str(rival.flow.pk), "name": None}, {"flow_id": None, "name": "x"}):
        with pytest.raises(NotFound, match=r"^There is no such flow\.$"):
            find_flow(acme.workspace.pk, **reference)


@pytest.mark.parametrize("text", ["x", "-1", "1.0", "1e3", " 1", "٣", "1" * 19, "0x1"])
def test_an_id_that_is_no_number(text: str) -> None:
    with pytest.raises(BadRequest, match=r"^The flow id must be a number\.$"):
        flow_lookup(text, None)


def test_neither_id_nor_name() -> None:
    with pytest.raises(BadRequest, match=r"^Name the flow: X-Flow or X-Flow-Id is missing\.$"):
        flow_lookup(None, None)


def test_only_versions_that_never_change_are_compiled(acme: Tenant) -> None:
    assert program(acme.flow.live_version_id).start == "start"
    unpublished = services.save_draft(acme.caller, acme.flow, services.format_source(STRAIGHT_FLOW))
    with pytest.raises(FlowVersion.DoesNotExist):
        program(unpublished.pk)
