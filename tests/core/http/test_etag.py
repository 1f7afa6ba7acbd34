"""Entity tags and the conditions that requests set by them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from apps.core.errors import PreconditionFailed
from apps.core.http.etag import Conditions, NotModified, TagPrecondition, Validators, seal_shape, seal_version

NOON = datetime(2026, 5, 3, 12, 0, 0, 700_000, tzinfo=UTC)
AT_NOON, EARLIER, LATER = (
    "Sun, 03 May 2026 12:00:00 GMT",
    "Sun, 03 May 2026 11:59:59 GMT",
    "Sun, 03 May 2026 12:00:01 GMT",
)
CURRENT = Validators(seal_version(1, ("schema", 7, 2)), seal_shape("application/json"), NOON)


def outcome(**headers: str) -> str:
    try:
        Conditions({name.replace("_", "-"): value for name, value in headers.items()}).check_read(CURRENT)
    except (NotModified, PreconditionFailed) as stop:
        return type(stop).__name__
    return "answered"


def test_a_tag_has_a_half_for_the_version_and_one_for_the_shape() -> None:
    tag = CURRENT.tag
    assert (tag[0], tag[25], tag[-1], len(tag)) == ('"', "-", '"', 35)
    assert CURRENT.headers == {"ETag": tag, "Last-Modified": AT_NOON}
    assert Validators("a", "b").headers == {"ETag": '"a-b"'}


def test_every_part_of_a_version_counts() -> None:
    versions: list[tuple[Any, ...]] = [
        ("schema", 7, 2),
        ("schema", 7, 3),
        ("schema", 72),
        ("schema", "7", 2),
        ("flow", 7, 2),
        ("schema", 7, None),
        ("schema", 7, NOON),
        ("schema", 7, UUID(int=2)),
    ]
    tags = {seal_version(tenant, version) for tenant in (1, 2) for version in versions}
    assert len(tags) == 2 * len(versions)


def test_a_moment_is_the_same_in_every_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    assert seal_version(1, (NOON,)) == seal_version(1, (elsewhere,))


def test_nobody_can_compute_a_tag_without_the_key(settings: Any) -> None:
    before = seal_version(1, ("schema", 7, 2))
    settings.SECRET_KEY = "another"
    assert seal_version(1, ("schema", 7, 2)) != before


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (CURRENT.tag, "NotModified"),
        (f"W/{CURRENT.tag}", "NotModified"),
        (f'W/"x", {CURRENT.tag} , "y"', "NotModified"),
        ("*", "NotModified"),
        (" * ", "NotModified"),
        ('"x"', "answered"),
        (CURRENT.tag.strip('"'), "answered"),
        (CURRENT.tag.replace("-", "+"), "answered"),
        (f'"{CURRENT.version}-{"0" * 8}"', "answered"),
        ('"' + "a" * 7900, "answered"),
        ("", "answered"),
        ("w/" + CURRENT.tag, "answered"),
    ],
)
def test_if_none_match(header: str, expected: str) -> None:
    assert outcome(If_None_Match=header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (AT_NOON, "NotModified"),
        (LATER, "NotModified"),
        (EARLIER, "answered"),
        ("Sunday, 03-May-26 12:00:00 GMT", "NotModified"),
        ("Sun May  3 12:00:00 2026", "NotModified"),
        ("2026-05-03T12:00:00Z", "answered"),
        ("Sun, 99 May 2026 12:00:00 GMT", "answered"),
        ("yesterday", "answered"),
        ("", "answered"),
    ],
)
def test_if_modified_since(header: str, expected: str) -> None:
    assert outcome(If_Modified_Since=header) == expected


def test_a_tag_counts_more_than_a_date() -> None:
    assert outcome(If_None_Match='"x"', If_Modified_Since=LATER) == "answered"
    assert outcome(If_None_Match=CURRENT.tag, If_Modified_Since=EARLIER) == "NotModified"
    assert outcome(If_Match='"x"', If_Unmodified_Since=LATER) == "PreconditionFailed"
    assert outcome(If_Match=CURRENT.tag, If_Unmodified_Since=EARLIER) == "answered"


def test_an_unreadable_tag_leaves_the_date_in_force() -> None:
    assert outcome(If_None_Match="nonsense", If_Modified_Since=LATER) == "NotModified"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (CURRENT.tag, "answered"),
        ("*", "answered"),
        (f'"{CURRENT.version}-{"0" * 8}"', "answered"),
        (f'"x", {CURRENT.tag}', "answered"),
        (f"W/{CURRENT.tag}", "PreconditionFailed"),
        ('"x"', "PreconditionFailed"),
        ("nonsense", "PreconditionFailed"),
        ("", "PreconditionFailed"),
    ],
)
def test_if_match(header: str, expected: str) -> None:
    assert outcome(If_Match=header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [(AT_NOON, "answered"), (LATER, "answered"), (EARLIER, "PreconditionFailed"), ("nonsense", "answered")],
)
def test_if_unmodified_since(header: str, expected: str) -> None:
    assert outcome(If_Unmodified_Since=header) == expected


def test_a_resource_without_a_date_is_never_older() -> None:
    undated = Validators("a", "b")
    Conditions({"If-Modified-Since": LATER, "If-Unmodified-Since": EARLIER}).check_read(undated)


@pytest.mark.parametrize(
    ("headers", "there", "absent"),
    [
        ({"If-Match": "current"}, True, False),
        ({"If-Match": "*"}, True, False),
        ({"If-Match": '"x"'}, False, False),
        ({"If-None-Match": "*"}, False, True),
        ({"If-None-Match": "current"}, False, True),
        ({"If-None-Match": '"x"'}, True, True),
        ({"If-Unmodified-Since": AT_NOON}, True, True),
        ({"If-Unmodified-Since": EARLIER}, False, True),
        ({"If-Modified-Since": LATER}, True, True),
    ],
)
def test_conditions_of_changes(headers: dict[str, str], there: bool, absent: bool) -> None:
    conditions = Conditions({name: value.replace("current", CURRENT.tag) for name, value in headers.items()})
    precondition = TagPrecondition(conditions, 1)

    def passes(*version: Any, modified: datetime | None = None) -> bool:
        try:
            precondition.check(*version, modified=modified)
        except PreconditionFailed:
            return False
        return True

    assert passes("schema", 7, 2, modified=NOON) is there
    assert passes() is absent


def test_a_precondition_is_of_one_tenant() -> None:
    conditions = Conditions({"If-Match": CURRENT.tag})
    TagPrecondition(conditions, 1).check("schema", 7, 2)
    with pytest.raises(PreconditionFailed):
        TagPrecondition(conditions, 2).check("schema", 7, 2)


def test_which_requests_have_conditions_at_all() -> None:
    assert [Conditions(headers).for_reads for headers in ({}, {"If-Modified-Since": "x"}, {"If-None-Match": "x"})] == [
        False
    ] * 3
    assert Conditions({"If-Modified-Since": AT_NOON}).for_reads is True
    assert Conditions({"If-Modified-Since": AT_NOON}).for_changes is False
    assert Conditions({"If-Match": ""}).for_changes is True
