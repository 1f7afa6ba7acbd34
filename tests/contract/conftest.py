"""What the tests of the contract have in common."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


# What is known to be wrong still; each falls out of the list with its repair, since a pass is a failure here.
PENDING = {
    "calls refused before they are counted carry no rate headers": (
        "AUTH-017-1", "AUTH-017-2", "AUTH-017-3", "AUTH-018", "TEN-004", "TEN-006", "TEN-007", "TEN-008", "TEN-009",
    ),
    "paths of the description itself have no row yet": (
        "test_every_call_has_a_documented_example_or_a_reason", "test_every_call_is_in_the_table_of_denials",
    ),
    "records, keystores and tables are not described yet": (
        "test_every_call_of_the_api_is_described", "test_every_parameter_that_is_read_is_described",
    ),
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is pending as such."""
    reasons = {name: reason for reason, names in PENDING.items() for name in names}
    for item in items:
        name = item.name.removeprefix("test_bad_input[").removesuffix("]")
        if item.path.is_relative_to(HERE) and name in reasons:
            item.add_marker(pytest.mark.xfail(reason=reasons[name], strict=True))
