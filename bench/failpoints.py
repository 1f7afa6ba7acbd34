"""What failpoints cost while they are off: a call, as a ratio to one of an empty function and to the walk of a record.

python -m bench.failpoints
"""

import os
import statistics
import timeit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apps.core.failpoints import failpoint
from apps.flows.engine.program import compile_program
from apps.flows.engine.walk import Host, Options, Token, advance

ROUNDS, CALLS, WALKS = 9, 200_000, 2_000
PLACES_PASSED = (
    5  # of a record that runs to its end without a call: its claim, its walk, its checkpoint before and after
)
FLOW = {
    "format": "flow/1",
    "name": "bench",
    "start": "start",
    "objects": {
        "start": {"type": "start", "next": {"ok": "check"}},
        "check": {
            "type": "decision",
            "rules": [{"port": "yes", "when": "age >= 18"}],
            "next": {"yes": "a", "else": "a"},
        },
        "a": {"type": "set", "set": {"b": "{{ age }}"}, "next": {"ok": "end"}},
        "end": {"type": "end"},
    },
}


def empty(place: str, subject: str = "") -> None:
    """Nothing."""


def main() -> None:
    """Measure in turns, print."""
    program = compile_program(FLOW)
    host = Host(
        now=lambda: datetime.now(UTC),
        monotonic=timeit.default_timer,
        random=lambda: 0.5,
        validate=lambda data: [],
        options=Options(retries=0, retry_delay=timedelta(minutes=1), max_executions=0),
        timezone=ZoneInfo("UTC"),
    )

    def walk() -> None:
        advance(program, Token(uuid="u", flow_name="bench", run_no=1, data={"age": 30}), host)

    calls: dict[str, list[float]] = {"failpoint": [], "empty": [], "walk": []}
    for _ in range(ROUNDS):
        calls["failpoint"].append(timeit.timeit(lambda: failpoint("after-claim", "uuid"), number=CALLS) / CALLS)
        calls["empty"].append(timeit.timeit(lambda: empty("after-claim", "uuid"), number=CALLS) / CALLS)
        calls["walk"].append(timeit.timeit(walk, number=WALKS) / WALKS)
    spent = {name: statistics.median(values) for name, values in calls.items()}
    print(f"a failpoint that is off / a call of an empty function: {spent['failpoint'] / spent['empty']:.2f}")
    print(f"those a record passes / the walk of four objects: {PLACES_PASSED * spent['failpoint'] / spent['walk']:.4f}")


if __name__ == "__main__":
    main()
