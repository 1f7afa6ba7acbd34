"""``manage.py flow_check``: conformance cases played, flow documents checked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import BadRequest
from apps.core.jsonio import read_json
from apps.flows.conformance.format import CASE_FORMAT, CASE_SCHEMA, CaseError, read_case
from apps.flows.conformance.playing import differences
from apps.flows.engine.checks import check_document

SHIPPED = Path(__file__).resolve().parents[2] / "conformance" / "cases"


class Command(BaseCommand):
    """Plays every case (format flow-case/1) and checks every flow (format flow/1) among the files named.

    Exit code 1 when a case takes another course than it expects or a flow has a problem.
    """

    help = "Play conformance cases and check flow documents; without a path, the cases that Flowize ships."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Files and folders."""
        parser.add_argument("paths", nargs="*", type=Path, default=[SHIPPED], help="JSON files, or folders of them")
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of cases instead")

    def handle(self, *args: Any, paths: list[Path], schema: bool, **options: Any) -> None:
        """One line a file, and one for each difference."""
        if schema:
            self.stdout.write(json.dumps(CASE_SCHEMA, indent=2, ensure_ascii=False))
            return
        failed = played = 0
        for path in _files(paths):
            title, lines = _judge(path)
            played += 1
            failed += bool(lines)
            self.stdout.write(f"{'FAIL' if lines else 'ok  '} {path.name}: {title}")
            for line in lines:
                self.stdout.write(f"       {line}")
        if not played:
            raise CommandError("There is no .json file.")
        self.stdout.write(f"{played - failed} passed, {failed} failed")
        if failed:
            raise CommandError(f"{failed} of {played} failed.")


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.json"))
        elif path.is_file():
            yield path
        else:
            raise CommandError(f"There is no file {path}.")


def _judge(path: Path) -> tuple[str, list[str]]:
    """The title of a case or flow, and what is wrong with it."""
    try:
        document = read_json(path.read_bytes())
    except BadRequest as error:
        return "not read", [f"{detail.path}: {detail.message}" for detail in error.details] or [error.message]
    if not isinstance(document, dict) or document.get("format") != CASE_FORMAT:
        name = document.get("name", "a flow") if isinstance(document, dict) else "a flow"
        return str(name), [str(problem) for problem in check_document(document)]
    try:
        case = read_case(document)
    except CaseError as error:
        return "not a case", str(error).split("; ")
    return case.title, differences(case)
