"""What of a project a deployment copies beside its definition, as callers say it and as jobs keep it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from apps.core.copy_action import CopyAction
from apps.core.errors import BadRequest, Detail

MOST_ITEMS = 1000
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0", "")


@dataclass(frozen=True, slots=True)
class Selection:
    """One action for everything of a kind (``every``), or one for each of the ``items`` by name."""

    every: CopyAction | None = None
    items: Mapping[str, CopyAction] = field(default_factory=dict)

    def action_for(self, name: str) -> CopyAction | None:
        """What to do with the rows of that name; nothing when it is not selected."""
        return self.every or self.items.get(name)


KINDS = {"keystores": "keystore_id", "tables": "name", "websites": "slug"}


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The options of one deployment; the definition is always copied, records never are."""

    static_data: bool = False
    file_manager: bool = False
    keystores: Selection = Selection()
    tables: Selection = Selection()
    websites: Selection = Selection()

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """The options of a call's body; raises ``BadRequest`` listing every fault with its place."""
        faults: list[Detail] = []
        chosen = cls(
            static_data=_yes(body, "static_data", faults),
            file_manager=_yes(body, "file_manager", faults),
            **{kind: _selection(body, kind, key, faults) for kind, key in KINDS.items()},
        )
        if faults:
            raise BadRequest("The options cannot be read.", details=faults)
        return chosen

    @property
    def copies_data(self) -> bool:
        """Whether anything beside the definition is copied."""
        chosen = (self.keystores, self.tables, self.websites)
        return self.static_data or self.file_manager or any(each.every or each.items for each in chosen)

    def as_json(self) -> dict[str, Any]:
        """The same as a body that ``read`` takes."""
        body: dict[str, Any] = {
            "static_data": "yes" if self.static_data else "no",
            "file_manager": "yes" if self.file_manager else "no",
        }
        for kind, key in KINDS.items():
            selection: Selection = getattr(self, kind)
            if selection.every:
                body[f"all_{kind}"] = selection.every.value
            body[kind] = [{key: name, "action": action.value} for name, action in selection.items.items()]
        return body


def _yes(body: Mapping[str, Any], name: str, faults: list[Detail]) -> bool:
    value = body.get(name)
    word = str(value).strip().lower() if isinstance(value, str | int) else value
    if word not in (None, *_NO, *_YES):
        faults.append(Detail(f"/{name}", "Must be yes or no."))
    return word in _YES


def _selection(body: Mapping[str, Any], kind: str, key: str, faults: list[Detail]) -> Selection:
    """``all_…`` counts alone: the list beside it is not even read."""
    every = body.get(f"all_{kind}")
    if every not in (None, ""):
        return Selection(every=_action(every, f"/all_{kind}", faults))
    listed = body.get(kind) or []
    listed = [listed] if isinstance(listed, dict) else listed  # XML tells no list from a single entry
    if not isinstance(listed, list) or len(listed) > MOST_ITEMS:
        faults.append(Detail(f"/{kind}", f"Must be a list of at most {MOST_ITEMS} entries."))
        return Selection()
    items: dict[str, CopyAction] = {}
    for number, item in enumerate(listed):
        _add(items, item, f"/{kind}/{number}", key, faults)
    return Selection(items=items)


def _add(items: dict[str, CopyAction], item: Any, at: str, key: str, faults: list[Detail]) -> None:
    name = item.get(key) if isinstance(item, dict) else None
    if not isinstance(name, str) or not name:
        faults.append(Detail(f"{at}/{key}", "Must be a text."))
    elif name in items:
        faults.append(Detail(f"{at}/{key}", "Is named twice."))
    elif action := _action(item.get("action"), f"{at}/action", faults):
        items[name] = action


def _action(value: Any, at: str, faults: list[Detail]) -> CopyAction | None:
    try:
        return CopyAction(" ".join(value.lower().split()) if isinstance(value, str) else value)
    except ValueError:
        faults.append(Detail(at, f"Must be one of {', '.join(CopyAction)}."))
        return None
