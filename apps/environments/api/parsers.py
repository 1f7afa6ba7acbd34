"""Reading the forms that certificates are uploaded with."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.parsers import BaseParser

from apps.core.errors import BadRequest, BodyTooLarge
from apps.core.http.parsers import read_body, require_utf8
from apps.core.jsonio import check_value

MOST_BYTES = 64 * 1024  # of one file


@dataclass(frozen=True, slots=True)
class File:
    """The content of a file; its name means nothing."""

    content: bytes

    def close(self) -> None:
        """There is nothing to close; whoever ends a form early asks for it."""


class InMemory(FileUploadHandler):
    """Keeps what is uploaded out of the file system, and ends an upload that is too large where it becomes so."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin with nothing."""
        super().new_file(*args, **kwargs)
        self.kept = bytearray()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece."""
        self.kept += raw_data
        if len(self.kept) > MOST_BYTES:
            raise BodyTooLarge(f"The file {str(self.field_name)[:40]} is larger than {MOST_BYTES} bytes.")

    def file_complete(self, file_size: int) -> Any:
        """The whole of it."""
        return File(bytes(self.kept))


class MultipartParser(BaseParser):
    """A form as an object: each name with its text, each name of files with the list of their contents."""

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The object; raises ``BadRequest`` for a form that cannot be read or names a text twice."""
        require_utf8(media_type)
        body = read_body(stream)
        headers = {"CONTENT_TYPE": media_type or "", "CONTENT_LENGTH": str(len(body))}
        try:
            texts, files = MultiPartParser(headers, io.BytesIO(body), [InMemory()], "utf-8").parse()
        except (MultiPartParserError, SuspiciousOperation, UnicodeError):
            raise BadRequest("The form cannot be read.") from None
        return _single(texts) | {name: [file.content for file in found] for name, found in files.lists()}


def _single(texts: Any) -> dict[str, str]:
    for name, values in texts.lists():
        if len(values) > 1:
            raise BadRequest(f"{name[:40]} is given more than once.")
    document = {name: texts[name] for name in texts}
    check_value(document)
    return document
