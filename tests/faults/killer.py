"""Random deaths; a seed gives the same kinds in the same order."""

import random
from collections import Counter
from collections.abc import Callable

from tests.faults.house import WORKERS, House
from tests.faults.receiver import kill


class Killer:
    """Strikes one process after the other, and puts up again what a supervisor would."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self.house = house
        self.dice = dice
        self.struck: Counter[str] = Counter()
        self.kinds: dict[str, tuple[int, Callable[[], None]]] = {
            "worker child": (10, self.worker_child),
            "worker": (3, self.worker),
            "web child": (3, self.web_child),
            "web": (1, self.web),
            "beat": (1, self.beat),
            "connection": (2, self.connection),
        }
        if house.redis:
            self.kinds["redis"] = (1, self.redis)

    def strike(self) -> None:
        """One death."""
        names = list(self.kinds)
        (name,) = self.dice.choices(names, [self.kinds[kind][0] for kind in names])
        self.kinds[name][1]()
        self.struck[name] += 1
        self.house.start_the_dead()

    def worker_child(self) -> None:
        """One that has work, if any has."""
        busy = self.house.busy()
        everybody = [pid for name in WORKERS for pid in self.house.children(name)]
        if found := sorted(set(busy) & set(everybody)) or sorted(everybody):
            kill(self.dice.choice(found))

    def worker(self) -> None:
        """A whole worker."""
        self.house.replace(self.dice.choice(WORKERS))

    def web_child(self) -> None:
        """One of the processes that answer; its callers get no answer."""
        with self.house.outage(0):
            if found := sorted(self.house.children("web")):
                kill(self.dice.choice(found))

    def web(self) -> None:
        """All of them."""
        with self.house.outage(0):
            self.house.replace("web")
            self.house.wait_ready("/healthz")

    def beat(self) -> None:
        """The clock."""
        self.house.replace("beat")

    def connection(self) -> None:
        """A connection to the database."""
        with self.house.outage(503):
            self.house.end_a_connection(self.dice)

    def redis(self) -> None:
        """The broker, with everything in it."""
        assert self.house.redis
        self.house.redis.kill()
        self.house.redis.start()
