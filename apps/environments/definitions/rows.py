"""Parts of a definition that are rows of one model, told apart by a name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.applications.models import Application
from apps.core.errors import Conflict
from apps.environments.definitions.section import Items, Section, Target, described, placed

Save = Callable[[Target, Any, bool], None]


@dataclass(frozen=True, slots=True)
class Rows:
    """How rows of ``model`` are read and brought in line.

    ``fields`` maps those that a definition has to their schemas; ``application`` among them stands for its name.
    ``shared`` are the fields, secrets among them, that copies take over from the workspace they are copied from.
    ``save`` stores a row, and is told whether its shared fields are unknown; ``share`` takes over what stands apart
    from the rows. Rows that are no longer named are switched off if they have an ``off`` field, else deleted.
    """

    name: str
    model: type[Any]
    key: str
    fields: dict[str, Any]
    shared: tuple[str, ...] = ()
    off: str = ""
    save: Save = lambda target, row, fresh: row.save()
    share: Callable[[Any, Any], None] | None = None

    def section(self) -> Section:
        """As a part of definitions."""
        named = {name: schema for name, schema in self.fields.items() if name != self.key}
        shape = described({self.key: self.fields[self.key]}, named)
        return Section(self.name, shape, self._export, self._apply, self.key)

    def _export(self, workspace_id: int) -> Items:
        rows = self.model.objects.in_workspace(workspace_id).order_by(self.key)
        if "application" in self.fields:
            rows = rows.select_related("application")
        return [{name: _plain(getattr(row, name)) for name in self.fields} for row in rows]

    def _apply(self, target: Target, items: Items) -> None:
        present, sources = self._by_name(target.workspace_id), self._by_name(target.source_id)
        for number, item in enumerate(items):
            row = present.pop(item[self.key], None) or self.model(workspace_id=target.workspace_id)
            with placed(number, item[self.key]):
                self._bring_in_line(target, row, item, sources.get(item[self.key]))
        self._put_away(target, present)

    def _bring_in_line(self, target: Target, row: Any, item: dict[str, Any], source: Any) -> None:
        before = self._values(row)
        self._fill(target, row, item)
        self._copy_shared(row, source)
        row.full_clean(exclude=["workspace", *self.shared])
        if row.pk is None or self._values(row) != before:
            self.save(target, row, row.pk is None and source is None)
        if self.share is not None and source is not None:
            self.share(row, source)

    def _values(self, row: Any) -> list[Any]:
        return [getattr(row, name) for name in (*self.fields, *self.shared)]

    def _by_name(self, workspace_id: int | None) -> dict[str, Any]:
        rows = self.model.objects.in_workspace(workspace_id) if workspace_id else self.model.objects.none()
        return {getattr(row, self.key): row for row in rows}

    def _fill(self, target: Target, row: Any, item: dict[str, Any]) -> None:
        for name in self.fields:
            if name in item:
                setattr(row, name, _application(target, item[name]) if name == "application" else item[name])

    def _copy_shared(self, row: Any, source: Any) -> None:
        if source is not None:
            for name in self.shared:
                setattr(row, name, getattr(source, name))

    def _put_away(self, target: Target, gone: dict[str, Any]) -> None:
        for name in sorted(gone):
            if not self.off:
                gone[name].delete()
            elif getattr(gone[name], self.off):
                setattr(gone[name], self.off, False)
                self.save(target, gone[name], False)
                label = self.model._meta.verbose_name
                target.notes.append(f"The {label} {name} is no longer part of the project and is switched off.")


def _plain(value: Any) -> Any:
    if isinstance(value, Application):
        return value.name
    return value.isoformat() if isinstance(value, datetime) else value


def _application(target: Target, name: str | None) -> Application | None:
    if not name:
        return None
    found = Application.objects.filter(project=target.caller.project_id, name=name).first()
    if found is None:
        raise Conflict(f"There is no application {name} in this project: register it first.")
    return found
