"""ZIP files as people upload them: looked through before anything is stored, and never believed about sizes."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NoReturn

from apps.contents.paths import fault_of_path, normal
from apps.core.errors import BadRequest, Detail

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 65_535
_LARGE_LOCATOR = b"PK\x06\x07"
_LARGE_LOCATOR_SIZE = 20
_MOST_BYTES_OF_AN_ENTRY = 512  # of the directory: the path with what programs write beside it
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_LEFT_OUT = ("__MACOSX/",)
_LEFT_OUT_NAMES = (".DS_Store", "Thumbs.db", "desktop.ini")
_MOST_DETAILS = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """The most an archive may hold: bytes of one file, bytes and number of all."""

    file_bytes: int
    total_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive."""

    path: str
    info: zipfile.ZipInfo


class Archive:
    """An archive whose every path and size has been looked at; raises ``BadRequest`` naming what is wrong.

    Refused are paths that lead elsewhere, links and devices, the same path twice in any case of its letters,
    encryption, compression other than deflate, and whatever is over the limits.
    """

    def __init__(self, stream: IO[bytes], limits: Limits) -> None:
        _check_directory(stream, limits)
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeError, OSError):
            _refuse_file()
        self.limits = limits
        self.entries = [Entry(normal(each.filename), each) for each in self._zip.infolist() if not _is_left_out(each)]
        _check_entries(self.entries)
        _check_sizes(self.entries, limits)

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of each file; raises ``BadRequest`` for one that is damaged or larger than it said."""
        for entry in self.entries:
            yield entry.path, self._read(entry)

    def _read(self, entry: Entry) -> bytes:
        try:
            with self._zip.open(entry.info) as file:
                content = file.read(entry.info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError, OSError, RuntimeError):
            _refuse(entry.path, "The file is damaged inside the archive.")
        if len(content) != entry.info.file_size:
            _refuse(entry.path, "The file has another size than the archive says.")
        return content


def _check_directory(stream: IO[bytes], limits: Limits) -> None:
    """The list of files is read whole: it must not be larger than that many files need."""
    length = stream.seek(0, 2)
    stream.seek(max(0, length - _LARGE_LOCATOR_SIZE - _END_SIZE - _LONGEST_COMMENT))
    tail = stream.read()
    stream.seek(0)
    place = len(tail) - _END_SIZE if tail[-_END_SIZE:].startswith(_END) else tail.rfind(_END)
    if place < 0 or len(tail) < place + _END_SIZE:
        _refuse_file()
    size = struct.unpack_from("<L", tail, place + 12)[0]
    locator = tail[max(0, place - _LARGE_LOCATOR_SIZE) : place]
    if locator.startswith(_LARGE_LOCATOR) or size > limits.files * _MOST_BYTES_OF_AN_ENTRY:
        raise BadRequest(f"The archive holds more than {limits.files} files.")


def _check_entries(entries: list[Entry]) -> None:
    faults, seen = [], set()
    for entry in entries:
        folded = entry.path.casefold()
        fault = _fault_of(entry) or ("The path is there twice." if folded in seen else None)
        seen.add(folded)
        if fault:
            faults.append(Detail(entry.path[:100], fault))
    if faults:
        raise BadRequest("The archive cannot be taken.", details=faults[:_MOST_DETAILS])
    if not entries:
        raise BadRequest("The archive holds no files.")


def _fault_of(entry: Entry) -> str | None:
    info = entry.info
    kind = stat.S_IFMT(info.external_attr >> 16)
    if fault := fault_of_path(entry.path):
        return fault
    if kind not in (0, stat.S_IFREG):
        return "This is a link or a device, not a file."
    if info.flag_bits & _ENCRYPTED:
        return "The file is encrypted."
    return None if info.compress_type in _METHODS else "The file is compressed in a way that is not known: use deflate."


def _check_sizes(entries: list[Entry], limits: Limits) -> None:
    if len(entries) > limits.files:
        raise BadRequest(f"The archive holds {len(entries)} files; {limits.files} are allowed.")
    for entry in entries:
        if entry.info.file_size > limits.file_bytes:
            _refuse(entry.path, f"The file has {entry.info.file_size} bytes; {limits.file_bytes} are allowed.")
    total = sum(entry.info.file_size for entry in entries)
    if total > limits.total_bytes:
        raise BadRequest(f"The archive holds {total} bytes; {limits.total_bytes} are allowed.")


def _is_left_out(info: zipfile.ZipInfo) -> bool:
    """Folders, which are known by their files, and what desktops leave behind."""
    name = info.filename
    return name.endswith("/") or name.startswith(_LEFT_OUT) or name.rpartition("/")[2] in _LEFT_OUT_NAMES


def _refuse(path: str, reason: str) -> NoReturn:
    raise BadRequest("The archive cannot be taken.", details=[Detail(path[:100], reason)])


def _refuse_file() -> NoReturn:
    raise BadRequest("The file is no ZIP archive, or is damaged.")
