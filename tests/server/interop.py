"""Programs of other makers that the tests drive; where ``REQUIRE_INTEROP`` is set a missing one is a failure."""

import os
import shutil
import sys
from pathlib import Path

import pytest

INSTALLED = Path(sys.prefix) / "interop" / "node_modules" / ".bin"


def program(name: str) -> str:
    """The path of a program; without it the test is skipped."""
    found = shutil.which(name) or shutil.which(name, path=str(INSTALLED))
    if found is None and not os.environ.get("REQUIRE_INTEROP"):
        pytest.skip(f"{name} is not installed")
    assert found, f"{name} is not installed"
    return found
