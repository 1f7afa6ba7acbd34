"""What the calls of the contract tests speak of: each thing is made when it is first named."""

from functools import cached_property

from tests.conftest import Tenant
from tests.contract.stage.credentials import Credentials
from tests.contract.stage.environments import Environments
from tests.contract.stage.records import Records
from tests.contract.stage.side import HERE
from tests.contract.stage.stores import Stores

__all__ = ["HERE", "Side", "Stage"]


class Side(Credentials, Records, Stores, Environments):
    """One tenant's things. Reading an attribute makes what it names; calls refer to them by name."""

    @cached_property
    def used_idempotency_key(self) -> str:
        """The Idempotency-Key of an insert of an empty client."""
        headers = {"X-Flow": self.flow, "Idempotency-Key": "used"}
        self.send("POST", "/v1/record", '{"client":[]}', status=201, headers=headers)
        return "used"


class Stage:
    """Both sides; a name without a side is Acme's."""

    def __init__(self, acme: Tenant, rival: Tenant, base: str = "") -> None:
        self.sides = {"acme": Side(acme), "rival": Side(rival)}
        self.base = base

    @property
    def acme(self) -> Side:
        return self.sides["acme"]

    @property
    def rival(self) -> Side:
        return self.sides["rival"]

    def named(self, name: str) -> str:
        """The thing of that name: ``record``, ``rival.record``."""
        if name == "base":
            return self.base
        side, _, attribute = name.rpartition(".")
        return str(getattr(self.sides[side or "acme"], attribute))
