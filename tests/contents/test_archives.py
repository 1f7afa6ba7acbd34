"""Archives are looked through before anything is stored."""

import io
import stat
import struct
import zipfile

import pytest

from apps.contents.archives import Archive, Limits
from apps.core.errors import BadRequest
from tests.contents.conftest import archive, special

LIMITS = Limits(file_bytes=1_000, total_bytes=3_000, files=5)


def refusal(stream: io.BytesIO, limits: Limits = LIMITS) -> tuple[str, list[tuple[str, str]]]:
    with pytest.raises(BadRequest) as caught:
        list(Archive(stream, limits).contents())
    return caught.value.message, [(detail.path, detail.message) for detail in caught.value.details]


def test_files_come_out_with_their_paths() -> None:
    stream = archive({"index.html": b"1", "a/": b"", "a/b.txt": b"2" * 1_000})

    assert list(Archive(stream, LIMITS).contents()) == [("index.html", b"1"), ("a/b.txt", b"2" * 1_000)]


def test_what_desktops_leave_behind_is_left_out() -> None:
    stream = archive({"__MACOSX/._a": b"", "a/.DS_Store": b"", "Thumbs.db": b"", "a/u\u0308.txt": b"x"})

    assert list(Archive(stream, LIMITS).contents()) == [("a/ü.txt", b"x")]


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a/../../b", "C:\\a", "a\\..\\b", "..", "a//b"])
def test_paths_that_lead_elsewhere_are_named(path: str) -> None:
    message, details = refusal(archive({"index.html": b"", path: b""}))

    assert message == "The archive cannot be taken."
    assert [place for place, _ in details] == [path]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int) -> None:
    assert refusal(special("a", kind))[1] == [("a", "This is a link or a device, not a file.")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a/b.txt", "A/b.txt", "a/B.TXT"])
def test_the_same_path_twice_in_any_case_is_refused(second: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("a/b.txt", b"1")
        made.writestr(second, b"2")

    assert refusal(stream)[1] == [(second, "The path is there twice.")]


def test_sizes_and_numbers_are_limited() -> None:
    assert refusal(archive({"a": b"x" * 1_001}))[1] == [("a", "The file has 1001 bytes; 1000 are allowed.")]
    many = archive({str(number): b"x" * 900 for number in range(4)})
    assert refusal(many)[0] == "The archive holds 3600 bytes; 3000 are allowed."
    small = archive({str(number): b"" for number in range(6)})
    assert refusal(small)[0] == "The archive holds 6 files; 5 are allowed."


def test_a_bomb_that_says_how_large_it_is_is_not_unpacked() -> None:
    bomb = archive({"a": b"\0" * 10_000_000})
    assert len(bomb.getvalue()) < 20_000

    assert refusal(bomb)[1] == [("a", "The file has 10000000 bytes; 1000 are allowed.")]


def test_a_bomb_that_lies_about_its_size_is_read_no_further_than_it_says() -> None:
    content = bytearray(archive({"a": b"\0" * 10_000_000}).getvalue())
    place = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, place + 24, 10)  # the size in the directory

    path, reason = refusal(io.BytesIO(content))[1][0]
    assert path == "a"
    assert reason in ("The file is damaged inside the archive.", "The file has another size than the archive says.")


def test_a_directory_of_very_many_files_is_not_read() -> None:
    stream = archive({f"{number}": b"" for number in range(100)})

    assert refusal(stream)[0] == "The archive holds more than 5 files."


def test_a_second_end_that_names_a_larger_directory_is_refused() -> None:
    """ZIP64: sizes of more than 4 GB, which nothing that may come in has."""
    content = archive({"a": b""}).getvalue()
    end = content.rindex(b"PK\x05\x06")
    large = content[:end] + struct.pack("<LLQL", 0x07064B50, 0, end, 1) + content[end:]

    assert refusal(io.BytesIO(large))[0] == "The archive holds more than 5 files."


def test_encrypted_files_and_unknown_compression_are_refused() -> None:
    content = bytearray(archive({"a": b"x"}).getvalue())
    place = content.rindex(b"PK\x01\x02")
    content[place + 8] |= 1
    assert refusal(io.BytesIO(content))[1] == [("a", "The file is encrypted.")]

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("a", b"x")
    reason = "The file is compressed in a way that is not known: use deflate."
    assert refusal(stream)[1] == [("a", reason)]


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"no archive" * 100, b"PK\x05\x06" + b"\0" * 18, b"PK\x05\x06\xff\xff"]
)
def test_what_is_no_archive_or_empty_is_refused(content: bytes) -> None:
    assert refusal(io.BytesIO(content))[0] in (
        "The file is no ZIP archive, or is damaged.",
        "The archive holds no files.",
    )


def test_an_archive_cut_or_damaged_anywhere_is_refused_or_read_as_it_was() -> None:
    files = {"index.html": b"<h1>Home</h1>" * 20, "a/b.txt": bytes(range(256))}
    whole = archive(files).getvalue()
    refused = 0
    for place in range(len(whole)):
        for changed in (whole[:place], whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]):
            try:
                found = dict(Archive(io.BytesIO(changed), LIMITS).contents())
            except BadRequest:
                refused += 1
            else:
                assert all(content in files.values() for content in found.values())
    assert refused > len(whole)
