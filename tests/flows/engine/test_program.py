from collections.abc import Callable
from typing import Any

import pytest

from apps.core.errors import BadRequest, Detail
from apps.flows.engine.program import compile_program

Flow = Callable[..., dict[str, Any]]


def test_a_program_has_a_node_for_every_object(flow: Flow) -> None:
    program = compile_program(
        flow(mark={"type": "set", "text": "Mark it", "set": {"a": 1}, "next": {"ok": "end"}}, limits={"max_steps": 7})
    )
    assert program.start == "start"
    assert {name: (node.type, node.text, node.next) for name, node in program.nodes.items()} == {
        "start": ("start", "start", {"ok": "mark"}),
        "mark": ("set", "Mark it", {"ok": "end"}),
        "end": ("end", "end", {}),
    }
    assert (program.max_steps, program.on_error) == (7, None)


def test_without_limits_a_run_has_a_thousand_steps(flow: Flow) -> None:
    assert compile_program(flow()).max_steps == 1000


def test_only_objects_that_may_come_again_are_counted(flow: Flow) -> None:
    call = {"type": "app", "app": "core.http", "with": {"method": "GET", "url": "http://x"}}
    program = compile_program(
        flow(
            first={**call, "next": {"ok": "second"}},
            second={**call, "next": {"ok": "third", "error": "end"}},
            third={
                "type": "decision",
                "rules": [{"port": "again", "when": "a"}],
                "next": {"again": "second", "else": "end"},
            },
            tell={**call, "next": {"ok": "second"}},
            on_error="tell",
        )
    )
    assert [name for name, node in program.nodes.items() if node.repeats] == ["second", "third", "tell"]


def test_a_document_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        compile_program({"format": "flow/1", "start": "start", "objects": {"start": {"type": "loop"}}})
    assert caught.value.message == "The flow cannot be run."
    assert caught.value.details == (Detail("start/type", "object type 'loop' is not supported"),)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"type": "decision", "rules": [{"port": "a", "when": "1 +"}]},
            "not an expression: invalid syntax (character 3)",
        ),
        ({"type": "set", "set": {"a": "{{ }}"}}, "set/a: empty (character 3)"),
        (
            {"type": "wait", "for": "soon"},
            "'soon' is no duration: write 15s, 10m, 2h, 1d or ISO 8601 like P2D or PT1H30M",
        ),
        ({"type": "wait", "until": "09:00", "timezone": "Mars"}, "unknown time zone 'Mars'"),
        ({"type": "app", "app": "core.email"}, "unknown app 'core.email'"),
    ],
)
def test_an_object_that_cannot_be_compiled_is_named(flow: Flow, item: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        compile_program(flow(bad={**item, "next": {"ok": "end"}}))
    assert caught.value.details == (Detail("bad", message),)
