"""What one deployment copies: the definition of a project, and whatever of its data the caller chose."""

from collections.abc import Callable, Iterator
from functools import partial

from django.db import transaction

from apps.accounts.models import Role, Workspace
from apps.applications.members import member_caller
from apps.contents.copying import copy_static_data, copy_website, replace_files
from apps.contents.models import Website
from apps.core.copy_action import CopyAction
from apps.core.errors import BadRequest, Detail
from apps.environments.definitions.document import Definition, apply_definition, read_definition
from apps.environments.definitions.sections import SECTIONS
from apps.environments.definitions.stores import KEYSTORES, TABLES
from apps.environments.deploy_options import KINDS, DeployOptions, Selection
from apps.keystores.copying import copy_items
from apps.keystores.models import Keystore
from apps.tables.copying import RowCopier
from apps.tables.models import Table

Report = Callable[[str], None]


def deploy_project(
    source: Workspace, target: Workspace, options: DeployOptions, report: Report, definition: Definition | None = None
) -> str:
    """Bring ``target`` in line with ``source``, all in the caller's transaction; a line for the log.

    ``report`` is told what is being done, and may raise to have it all undone. ``definition`` is that of the source, if
    it has been read already. Raises ``BadRequest`` and ``Conflict`` for what cannot be copied.
    """
    apply = partial(
        apply_definition,
        member_caller(target, Role.OWNER),
        read_definition(source.pk) if definition is None else definition,
        source_id=source.pk,
        replaceable=_replaced_tables(source, options),
    )
    report("Check of the definition")
    _rehearse(apply)
    # What is locked until the transaction ends comes late: tables that get columns, then flows that change.
    report("Definition of keystores")
    notes = apply(sections=[KEYSTORES])
    done = list(_copy_data(source.pk, target.pk, options, report))
    report("Definition of tables")
    notes += apply(sections=[TABLES])
    tables = RowCopier()
    done += _copy_tables(source.pk, target.pk, options.tables, report, tables)
    report("Definition of all else")
    notes += apply(sections=[section for section in SECTIONS if section not in (KEYSTORES, TABLES)])
    tables.finish()
    parts = "".join(f", {copied} {what}" for what, copied in done)
    return ". ".join([f"Copied the definition{parts}", *notes])


def _rehearse(apply: Callable[..., object]) -> None:
    """Fail before anything is copied when some part of the definition cannot be."""
    with transaction.atomic():
        apply(sections=SECTIONS)
        transaction.set_rollback(True)


def check_options(source: Workspace, options: DeployOptions) -> None:
    """Raise ``BadRequest`` naming each keystore, table and website that the source does not have."""
    there = {
        "keystores": set(Keystore.objects.in_workspace(source.pk).values_list("identifier", flat=True)),
        "tables": set(Table.objects.in_workspace(source.pk).values_list("name", flat=True)),
        "websites": set(Website.objects.in_workspace(source.pk).values_list("slug", flat=True)),
    }
    faults = [
        Detail(f"/{kind}/{place}/{key}", f"The project has no {kind[:-1]} {name!r}.")
        for kind, key in KINDS.items()
        for place, name in enumerate(getattr(options, kind).items)
        if name not in there[kind]
    ]
    if faults:
        raise BadRequest("The options name what the project does not have.", details=faults)


def _replaced_tables(source: Workspace, options: DeployOptions) -> frozenset[str]:
    names = Table.objects.in_workspace(source.pk).values_list("name", flat=True)
    return frozenset(name for name in names if options.tables.action_for(name) is CopyAction.REPLACE)


def _copy_data(source_id: int, target_id: int, options: DeployOptions, report: Report) -> Iterator[tuple[str, int]]:
    """All but the rows of tables."""
    if options.static_data:
        report("Static data")
        copy_static_data(source_id, target_id)
        yield "static data", 1
    if options.file_manager:
        report("File manager")
        yield "files", replace_files(source_id, target_id)
    yield from _copy_keystores(source_id, target_id, options.keystores, report)
    for website in Website.objects.in_workspace(source_id):
        if action := options.websites.action_for(website.slug):
            report(f"Website {website.slug}")
            yield f"files of the website {website.slug}", copy_website(website, target_id, action)


def _copy_keystores(source_id: int, target_id: int, chosen: Selection, report: Report) -> Iterator[tuple[str, int]]:
    theirs = {row.identifier: row.pk for row in Keystore.objects.in_workspace(target_id)}
    for row in Keystore.objects.in_workspace(source_id).filter(identifier__in=theirs):  # no new ones, made meanwhile
        if action := chosen.action_for(row.identifier):
            report(f"Keystore {row.identifier}")
            yield f"keys of the keystore {row.identifier}", copy_items(row.pk, theirs[row.identifier], action)


def _copy_tables(
    source_id: int, target_id: int, chosen: Selection, report: Report, copier: RowCopier
) -> Iterator[tuple[str, int]]:
    theirs = {row.name: row for row in Table.objects.in_workspace(target_id)}
    for row in Table.objects.in_workspace(source_id).filter(name__in=theirs):
        if action := chosen.action_for(row.name):
            report(f"Table {row.name}")
            yield f"rows of the table {row.name}", copier.copy(row, theirs[row.name], action)
