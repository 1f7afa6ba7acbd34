"""What the tests of the contract have in common."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


# What is known to be wrong still; each falls out of the list with its repair, since a pass is a failure here.
PENDING = {
    "keystores and tables are not described yet": ("test_every_call_of_the_api_is_described",),
}  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is pending as such."""
    reasons = {name: reason for reason, names in PENDING.items() for name in names}
    for item in items:
        name = item.name.removeprefix("test_bad_input[").removesuffix("]")
        if item.path.is_relative_to(HERE) and name in reasons:
            item.add_marker(pytest.mark.xfail(reason=reasons[name], strict=True))
