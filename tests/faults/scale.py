"""How much of everything: the short form belongs to every test run, the long one is ``make faults``."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Counts of records, and seconds."""

    kills: int  # of the kill loop
    killed_records: int  # that are inserted while it kills
    kill_every: float
    queued: int  # that the broker forgets, or that become due at once
    outage: float  # how long a server is away
    lease: int
    patience: float  # from the last fault until every record rests
    stalled: int  # calls to each receiver that does not answer
    durable: bool  # whether PostgreSQL waits for the disk


SHORT = Scale(
    kills=10,
    killed_records=150,
    kill_every=1.0,
    queued=300,
    outage=4,
    lease=4,
    patience=60,
    stalled=24,
    durable=False,
)
# The lease is the one that is shipped, and what must be over within 40 seconds is given no more.
LONG = Scale(
    kills=200,
    killed_records=10_000,
    kill_every=1.5,
    queued=10_000,
    outage=60,
    lease=30,
    patience=40,
    stalled=300,
    durable=True,
)

IS_LONG = os.environ.get("FAULTS") == "long"
SCALE = LONG if IS_LONG else SHORT
