"""One walk through a flow: what it has done so far, and the ways on that all objects share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .host import Host
from .operators import OperationError
from .outcomes import Error, Failed, Outcome, Retry
from .program import Node, Program
from .results import AppResult
from .tokens import StepDone, Token, bounded_output
from .values import JSON, ValueRefused, measure

MAX_MESSAGE = 500
MAX_KEYS = 100
MAX_READ = 1_000_000


@dataclass(frozen=True, slots=True)
class Visit:
    """One attempt at an object, from its beginning."""

    node: Node
    started_at: datetime
    started: float


class Walk:
    """The steps done, what the templates have written and the keys that were read since the walk began."""

    def __init__(self, program: Program, token: Token, host: Host) -> None:
        self.program = program
        self.token = token
        self.host = host
        self.steps: list[StepDone] = []
        self.rendered = 0
        self.keys: dict[tuple[str, str], JSON] = {}
        self.constants: list[JSON] = []

    def visit(self, started_at: datetime, started: float) -> Visit:
        """The visit of the object the token stands at; raises KeyError for one the flow does not have."""
        return Visit(self.program.nodes[self.token.at], started_at, started)

    def waited(self, visit: Visit) -> Visit:
        """The visit as one that began when the record came to wait; only the wall clock runs through a wait."""
        entered_at = self.token.entered_at
        if entered_at is None:
            return visit
        waited = (visit.started_at - entered_at).total_seconds()
        return Visit(visit.node, entered_at, visit.started - max(waited, 0.0))

    def rest(self, visit: Visit) -> None:
        """Stay at the object; what was noted when the record came to wait stands."""
        self.token.entered_at = self.token.entered_at or visit.started_at

    @property
    def deadline(self) -> datetime | None:
        """When the run is too old to go on."""
        began, expires = self.token.began, self.program.expires
        return None if began is None or expires is None else began + expires

    def bounded(self, until: datetime | None) -> datetime | None:
        """A moment to wait for, or the end of the run's time when that comes first."""
        moments = [moment for moment in (until, self.deadline) if moment is not None]
        return min(moments, default=None)

    def expired(self, visit: Visit) -> Error | None:
        """The error of a run that is older than its flow allows."""
        deadline = self.deadline
        if deadline is None or visit.started_at < deadline:
            return None
        return Error(code="expired", message="The run has taken longer than the flow allows.")

    def refuse(self, node: Node) -> Error | None:
        """Counts a new visit of an object that may repeat; the error when it, or any further step, is too much."""
        token = self.token
        if token.attempt > 1 or token.entered_at is not None:
            return None
        if token.seq >= self.program.max_steps:
            return Error(code="max_steps", message=f"More than {self.program.max_steps} steps in one run.")
        if not node.repeats:
            return None
        executions = token.state.get("executions", {})
        count, most = executions.get(node.id, 0) + 1, self.host.options.max_executions
        if 0 < most < count:
            return Error(code="loop_guard", message=f"Executed more than {most} times in one run.")
        self.remember(executions={**executions, node.id: count})
        return None

    def remember(self, **state: Any) -> None:
        self.token.state = {**self.token.state, **state}
        self.token.changed = True

    def forget(self, key: str) -> None:
        """Drop an entry of the state."""
        if key in self.token.state:
            self.token.state = {name: value for name, value in self.token.state.items() if name != key}
            self.token.changed = True

    def record(self, visit: Visit, port: str, error: Error | None = None, output: JSON = None) -> None:
        token, node = self.token, visit.node
        ms = round((self.host.monotonic() - visit.started) * 1000)
        step = (token.seq + 1, token.attempt, node.id, node.type, node.text, port, visit.started_at, ms)
        self.steps.append(StepDone(*step, error, bounded_output(output)))

    def leave(self, visit: Visit, port: str, output: JSON = None) -> None:
        """Journals the object as done and moves to where its port leads."""
        self.record(visit, port, output=output)
        self.move(visit.node.next[port])

    def move(self, target: str) -> None:
        token = self.token
        token.seq += 1
        token.at, token.attempt, token.entered_at = target, 1, None

    def fail(self, visit: Visit, code: str, message: str) -> Outcome | None:
        """The way of every error: another attempt, the port ``error``, ``on_error``, or the record fails."""
        token, node, options = self.token, visit.node, self.host.options
        error = Error(code=code, message=message[:MAX_MESSAGE])
        if node.retry.allows(token.attempt, code, options.retries):
            delay = node.retry.delay_after(token.attempt, options.retry_delay, self.host.random)
            self.record(visit, "", error)
            token.attempt, token.entered_at = token.attempt + 1, None
            until = self.host.now() + delay
            return Retry(self.bounded(until) or until, error)
        target = node.next.get("error") or self.on_error(node)
        if target is None:
            return self.stay_failed(visit, error)
        self.record(visit, "error" if "error" in node.next else "", error)
        self.remember(handled=True, error={"object": node.id, **error})
        self.move(target)
        return None

    def on_error(self, node: Node) -> str | None:
        """The document's handler; the handler itself has none, or its own failure would go round for ever."""
        return self.program.on_error if self.program.on_error != node.id else None

    def stay_failed(self, visit: Visit, error: Error) -> Failed:
        self.record(visit, "", error)
        # The step is over: when somebody resumes the record it is a new one, with a new idempotency key.
        self.token.seq += 1
        return Failed(error)

    def scope(self) -> dict[str, Any]:
        """The roots of expressions; the reserved ones hide keys of the record with the same name."""
        token = self.token
        system = {
            "now": self.host.now().isoformat(),
            "uuid": token.uuid,
            "flow": token.flow_name,
            "error": token.state.get("error"),
        }
        roots = dict(token.data) if isinstance(token.data, dict) else {}
        roots.update(record=token.data, vars=token.vars, system=system, keystore=self.read_key, static=self.read_static)
        return roots

    def read_key(self, keystore: str, key: str) -> JSON:
        """What a keystore holds under a key; read once in a walk, at the moment it is first needed."""
        if (keystore, key) not in self.keys:
            if len(self.keys) >= MAX_KEYS:
                raise OperationError(f"more than {MAX_KEYS} keys of keystores are read in one walk")
            self.keys[keystore, key] = _readable(self.host.keystore(keystore, key))
        return self.keys[keystore, key]

    def read_static(self) -> JSON:
        """The workspace's static data, read as keys are."""
        if not self.constants:
            self.constants.append(_readable(self.host.static()))
        return self.constants[0]

    def keep(self, result: AppResult) -> None:
        if result.save:
            self.token.vars = {**self.token.vars, **result.save}
            self.token.changed = True
        if result.data is not None:
            self.token.data = result.data
            self.token.changed = True


def _readable(value: JSON) -> JSON:
    try:
        measure(value, MAX_READ)
    except ValueRefused as refusal:
        raise OperationError(f"what is read is {refusal}") from None
    return value
