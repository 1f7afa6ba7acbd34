"""Places where tests let a process die: free when they are off, loud when they are misspelt."""

import dis
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from apps.core import failpoints

APPS = Path(failpoints.__file__).parents[1]


def run(code: str, orders: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as orders are read when the module is."""
    return subprocess.run(
        [sys.executable, "-c", f"from apps.core.failpoints import failpoint\n{code}"],
        env=os.environ | {"FLOWIZE_FAILPOINTS": orders},
        cwd=APPS.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_switched_off_it_is_a_call_that_does_nothing() -> None:
    assert failpoints.failpoint is failpoints._pass
    steps = [step.opname for step in dis.get_instructions(failpoints._pass)]
    assert [step for step in steps if step not in ("RESUME", "CACHE")] in (
        ["LOAD_CONST", "RETURN_VALUE"],
        ["RETURN_CONST"],
    )


def test_each_place_is_somewhere_and_nothing_else_is() -> None:
    sources = [path.read_text() for path in APPS.rglob("*.py") if path.name != "failpoints.py"]
    used = {place for source in sources for place in re.findall(r'failpoint\("([^"]+)"', source)}
    assert used == failpoints.PLACES


def test_only_the_named_subject_is_struck() -> None:
    code = 'failpoint("before-walk", "healthy"); failpoint("after-claim"); print("alive", flush=True)\n'
    ended = run(code + 'failpoint("before-walk", "poison-7")', "before-walk@poison-=exit:7")
    assert (ended.returncode, ended.stdout) == (7, "alive\n")


@pytest.mark.parametrize("orders", ["befor-walk=kill", "before-walk=kil", "before-walk"])
def test_a_misspelt_order_ends_the_process(orders: str) -> None:
    ended = run("", orders)
    assert ended.returncode == 1
    assert ended.stderr.endswith(f"ValueError: FLOWIZE_FAILPOINTS: there is no {orders!r}.\n")


@pytest.mark.parametrize(("act", "code"), [("kill", -9), ("exit", 1), ("raise", 1), ("allocate:1e18", 1)])
def test_acts(act: str, code: int) -> None:
    assert run('failpoint("after-claim")', f"after-claim={act}").returncode == code
