"""Playing a record through a flow in memory, against a world that is given: no clock, no database, no calls.

Used where the course of a flow is judged rather than run: by conformance cases and rehearsals.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from .host import Host
from .outcomes import Error, Failed, Finished, Held, Moved, Outcome, Request, Retry, Stopped, Waiting
from .program import Program
from .results import Answer
from .tokens import StepDone, Token
from .walk import advance, complete

MOST_ROUNDS = 20_000
# Only a new run can go on after these; see the queue act resume-and-continue.
GUARDS = ("loop_guard", "max_steps", "expired")


class Rest(StrEnum):
    """How a course ends; the first three are the statuses of records."""

    FINISHED = "Finished"
    HANDLED = "Errors handled"
    FAILED = "Finished with errors"
    MOVED = "Moved"  # to another flow
    WAITING = "Waiting"  # for a person, an event or a record that the script does not have
    UNKNOWN = "Unknown"  # the script has no answer to a request
    ENDLESS = "Endless"  # more rounds than any course needs


class Unanswered(Exception):
    """The script knows nothing about what it was asked."""


class Script(Protocol):
    """What happens outside the flow."""

    def answer(self, request: Request) -> Answer:
        """What comes of a request, None for nothing yet; raises Unanswered."""

    def let_go_on(self, object_id: str) -> timedelta | None:
        """How long after the record came to rest at the object somebody lets it go on; None when nobody does."""


@dataclass(slots=True)
class Clock:
    """A clock that moves only when it is told to."""

    moment: datetime

    def now(self) -> datetime:
        """The moment it stands at."""
        return self.moment

    def monotonic(self) -> float:
        """The same in seconds."""
        return self.moment.timestamp()

    def move_to(self, moment: datetime) -> None:
        """Go on to that moment; never back."""
        self.moment = max(self.moment, moment)


@dataclass(slots=True)
class Course:
    """What became of a record: its token, its trace, how it rests, the error it rests with."""

    token: Token
    steps: list[StepDone] = field(default_factory=list)
    rest: Rest = Rest.ENDLESS
    error: Error | None = None


def play(program: Program, token: Token, host: Host, clock: Clock, script: Script) -> Course:
    """The course of a record from where its token stands; ``host`` reads ``clock``.

    Between two walks the record goes through JSON, as it does in the database.
    """
    course = Course(token)
    token.began = token.began or clock.moment
    outcome, done = advance(program, token, host)
    for _ in range(MOST_ROUNDS):
        course.steps += done
        if isinstance(outcome, Request):
            try:
                answer = script.answer(outcome)
            except Unanswered:
                course.rest = Rest.UNKNOWN
                return course
            outcome, done = complete(program, token, outcome, answer, host)
        elif _goes_on(outcome, token, clock, script):
            _store(token)
            outcome, done = advance(program, token, host)
        else:
            _settle(course, outcome)
            return course
    return course


def _goes_on(outcome: Outcome, token: Token, clock: Clock, script: Script) -> bool:
    """Move the clock to when the record goes on; False when it never does."""
    match outcome:
        case Retry(until):
            clock.move_to(until)
            return True
        case Waiting(until) | Stopped(until) | Held(until):
            moments = [moment for moment in (until, _event(token, clock, script)) if moment is not None]
            if moments:
                clock.move_to(min(moments))
            return bool(moments)
        case Failed(error):
            moment = _event(token, clock, script)
            if moment is not None:
                clock.move_to(moment)
                _continue(token, error, clock)
            return moment is not None
    return False  # finished, or moved


def _event(token: Token, clock: Clock, script: Script) -> datetime | None:
    after = script.let_go_on(token.at)
    return None if after is None else clock.moment + after


def _continue(token: Token, error: Error, clock: Clock) -> None:
    """What resume-and-continue does to a failed record."""
    token.attempt, token.entered_at = 1, None
    if error["code"] in GUARDS:
        token.run_no, token.seq, token.began = token.run_no + 1, 0, clock.moment
        token.state = {name: value for name, value in token.state.items() if name not in ("executions", "moves")}


def _store(token: Token) -> None:
    token.data, token.vars, token.state = json.loads(json.dumps([token.data, token.vars, token.state]))


def _settle(course: Course, outcome: Outcome) -> None:
    match outcome:
        case Finished(handled):
            course.rest = Rest.HANDLED if handled else Rest.FINISHED
        case Failed(error):
            course.rest, course.error = Rest.FAILED, error
        case Moved():
            course.rest = Rest.MOVED
        case _:
            course.rest = Rest.WAITING
