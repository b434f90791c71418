"""Opens what people hand over, and refuses bombs, tricks and unreadable text before they cost anything."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from scoring.refused import Refused

MEGABYTE = 1024 * 1024
MOST_RATIO = 200
"""Packed text shrinks by 5 to 30; more than this is a bomb."""

FREE = 8 * MEGABYTE
"""So much may come out before the ratio is looked at: small repetitive files are harmless."""

MOST_MEMBERS = 100
_MOST_DIRECTORY = MEGABYTE
_PACKED = (".zip", ".gz", ".7z", ".rar", ".bz2", ".xz", ".zst", ".tar")
_BOMS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_MAGIC = (
    (b"PK\x03\x04", ".zip or .xlsx"),
    (b"\x1f\x8b", ".gz"),
    (b"%PDF", ".pdf"),
    (b"\xd0\xcf\x11\xe0", "an old .xls"),
)

READ = {
    ".csv": "csv", ".tsv": "tsv", ".txt": "csv", ".jsonl": "json", ".ndjson": "json", ".xlsx": "xlsx", ".xlsm": "xlsx",
}  # fmt: skip
KINDS = ".csv, .tsv, .jsonl or .xlsx, plain or as .gz or .zip"


@dataclass(frozen=True, slots=True)
class Member:
    """One file to read: itself, or a member of an archive. `name` is for people, `kind` a value of READ."""

    path: Path
    name: str
    kind: str
    inside: str = ""  # name in the zip

    @property
    def packed(self) -> bool:
        return bool(self.inside) or self.path.suffix.lower() == ".gz"

    @contextmanager
    def open(self) -> Iterator[Metered]:
        """The unpacked bytes, guarded. Raises Refused where they cannot be read."""
        try:
            with self.path.open("rb") as raw:
                if self.inside:
                    with zipfile.ZipFile(raw) as archive, archive.open(self.inside) as stream:
                        yield Metered(stream, raw, self.name)
                elif self.packed:
                    with gzip.GzipFile(fileobj=raw) as stream:
                        yield Metered(stream, raw, self.name)
                else:
                    yield Metered(raw, raw, self.name)
        except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Refused(f"{self.name} is damaged ({error}).", "Export or copy it again.") from error
        except OSError as error:
            raise Refused(f"{self.name} cannot be read ({error.strerror or error}).", "Check the file.") from error


class Metered:
    """A stream that watches how much comes out of how little."""

    def __init__(self, stream: IO[bytes] | zipfile.ZipExtFile | gzip.GzipFile, raw: IO[bytes], name: str) -> None:
        self._stream = stream
        self._raw = raw
        self._name = name
        self._packed = stream is not raw
        self._out = 0
        self._start = 0 if not isinstance(stream, zipfile.ZipExtFile) else raw.tell()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end. Raises Refused where a small file unpacks without measure."""
        data = self._stream.read(size)
        if self._packed:
            self._out += len(data)
            taken = max(self._raw.tell() - self._start, 1)
            if self._out > FREE and self._out > MOST_RATIO * taken:
                raise bomb(self._name)
        return data

    @property
    def position(self) -> int:
        """Bytes of the file on disk that are done."""
        return self._raw.tell()


def bomb(name: str) -> Refused:
    return Refused(
        f"{name} unpacks to more than {MOST_RATIO} times its size; that is how a decompression bomb looks.",
        "If you trust it, unpack it yourself and load the plain file.",
    )


def members(path: Path) -> tuple[Member, ...]:
    """The files in `path`, checked from the outside. Raises Refused."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise Refused(f"There is no file {path}.", "Check the name.") from error
    if not stat.S_ISREG(mode):
        raise Refused(f"{path} is no file.", "Name a file; for a directory of exports use --watch.")
    name = path.name.lower()
    if name.endswith(".zip"):
        return _zipped(path)
    kind = READ.get(Path(name.removesuffix(".gz")).suffix)
    if kind is None:
        raise Refused(f"{path.name}: this kind of file is not known.", f"Give {KINDS}.")
    member = Member(path, path.name, kind)
    if name.endswith(".gz"):
        _check_ratio(member)
    elif kind == "xlsx":
        _entries(path)
    else:
        _check_magic(path)
    return (member,)


def _check_ratio(member: Member) -> None:
    """Unpacks the beginning for nothing, so that no row of a bomb is ever parsed or loaded."""
    with member.open() as stream:
        left = FREE + MEGABYTE
        while left > 0 and (data := stream.read(MEGABYTE)):
            left -= len(data)


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise Refused(f"{path.name} cannot be read ({error.strerror}).", "Check who may read it.") from error
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise Refused(
                f"{path.name} is named like text but holds {what}.", "Give it its right name, or export text."
            )


def _directory_size(file: IO[bytes]) -> int:
    """Bytes of a zip's central directory by its end record, so that a huge one is never parsed."""
    size = file.seek(0, io.SEEK_END)
    start = max(size - 65_557, 0)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise zipfile.BadZipFile("no end record")
    length = int(struct.unpack_from("<L", tail, at + 12)[0])
    if length == 0xFFFFFFFF:
        locator = tail.rfind(b"PK\x06\x07", 0, at)
        if locator < 0:
            raise zipfile.BadZipFile("no zip64 record")
        file.seek(min(int(struct.unpack_from("<Q", tail, locator + 8)[0]), size))
        record = file.read(56)
        if len(record) < 56 or not record.startswith(b"PK\x06\x06"):
            raise zipfile.BadZipFile("no zip64 record")
        length = int(struct.unpack_from("<Q", record, 40)[0])
    return length


def check_archive(file: IO[bytes], name: str) -> tuple[zipfile.ZipInfo, ...]:
    """The entries of a zip or XLSX whose directory is sound. Raises Refused."""
    try:
        if _directory_size(file) > _MOST_DIRECTORY:
            raise Refused(f"{name} holds far too many files.", f"Give at most {MOST_MEMBERS} in one archive.")
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            found = tuple(archive.infolist())
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise Refused(f"{name} is no sound archive ({error}).", "Export or copy it again.") from error
    if sum(entry.compress_size for entry in found) > size:
        raise Refused(f"{name}: its files overlap, as in a decompression bomb.", "Pack it again.")
    for entry in found:
        if entry.flag_bits & 1:
            raise Refused(f"{name} is encrypted.", "Unpack it with its password, then load the plain file.")
        if entry.file_size > FREE and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
            raise bomb(f"{name}: {entry.filename[:80]!r}")
    return found


def _entries(path: Path) -> tuple[zipfile.ZipInfo, ...]:
    try:
        with path.open("rb") as file:
            return check_archive(file, path.name)
    except OSError as error:
        raise Refused(f"{path.name} cannot be read ({error.strerror}).", "Check who may read it.") from error


def _zipped(path: Path) -> tuple[Member, ...]:
    entries = [entry for entry in _entries(path) if not entry.is_dir() and "__MACOSX/" not in entry.filename]
    if len(entries) > MOST_MEMBERS:
        raise Refused(f"{path.name} holds {len(entries)} files.", f"Give at most {MOST_MEMBERS} in one archive.")
    if not entries:
        raise Refused(f"{path.name} holds no file.", f"Give {KINDS}.")
    found = []
    names: set[str] = set()
    for entry in entries:
        inner = entry.filename
        shown = f"{path.name}: {inner[:80]!r}"
        parts = PurePosixPath(inner).parts
        if inner.startswith("/") or ".." in parts or "\\" in inner or ":" in inner or not inner.isprintable():
            raise Refused(f"{shown} has a name that leads out of the archive.", "Pack it again with plain names.")
        if inner in names:
            raise Refused(f"{shown} is there twice.", "Pack it again.")
        names.add(inner)
        suffix = PurePosixPath(inner.lower()).suffix
        if suffix in _PACKED:
            raise Refused(f"{shown} is packed again.", "Unpack it first; only plain files may be in a .zip.")
        if suffix not in READ:
            raise Refused(f"{shown}: this kind of file is not known.", f"Give {KINDS}.")
        found.append(Member(path, f"{path.name}/{inner}", READ[suffix], inner))
        _check_ratio(found[-1])
    return tuple(found)


def check_start(data: bytes, name: str) -> bytes:
    """The first bytes of a text file without their mark. Raises Refused for UTF-16, UTF-32 and emptiness."""
    for mark, what in _BOMS:
        if data.startswith(mark):
            raise Refused(f"{name} is written in {what}.", "Save it as CSV UTF-8.")
    if not data.strip():
        raise Refused(f"{name} is empty.", "Export it again.")
    return data.removeprefix(b"\xef\xbb\xbf")


def to_utf8(data: bytes, encoding: str, line: int, name: str) -> bytes:
    """The same text in UTF-8, proven. `line` is the number of its first line. Raises Refused."""
    at = data.find(b"\x00")
    if at >= 0:
        where = line + data.count(b"\n", 0, at)
        raise Refused(f"{name}, line {where}: found a NUL byte, expected text.", "Export it again as CSV UTF-8.")
    if data.isascii():
        return data
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        where = line + data.count(b"\n", 0, error.start)
        raise Refused(
            f"{name}, line {where}: found byte 0x{data[error.start]:02x}, expected text in {encoding}.",
            'Save it as CSV UTF-8, or name its encoding in the map (encoding = "cp1252").',
        ) from None
    return data if encoding == "utf-8" else text.encode()
