"""What a step of a job is given, may say and may ask for."""

from collections.abc import Callable
from dataclasses import dataclass

from apps.environments.models import Environment, EnvironmentJob
from apps.environments.provisioning.protocol import Provisioner


class LeaseLost(Exception):
    """Another worker has taken the job over; this one must write nothing more."""


class StepFailed(Exception):
    """The step cannot succeed however often it is tried; its text is shown to people."""


@dataclass(slots=True)
class StepContext:
    """A step's job, the environment it changes, the driver that hosts it.

    ``renew`` extends the lease of a step that takes long, and raises ``LeaseLost``; ``report`` shows people at once
    what the step is doing, also in the middle of its transaction. Steps may change ``job.memo`` and fields of
    ``environment``; both are saved with the step.
    """

    job: EnvironmentJob
    environment: Environment
    provisioner: Provisioner
    renew: Callable[[], None]
    report: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of a job, safe to be done again: ``run`` returns the line of the log.

    Steps that only touch our own rows run in one transaction with their checkpoint (``atomic``), so that they are done
    once or not at all. Others are done again when their worker dies before the checkpoint.
    """

    name: str
    run: Callable[[StepContext], str]
    atomic: bool = True
