"""The inside of an XLSX as a stream: its texts, its formats and the rows of its first sheet, all within limits."""

from __future__ import annotations

import posixpath
import re
import sys
import xml.parsers.expat
import zipfile
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO

import storage.sources.files.guards
import storage.sources.files.number_formats
from scoring.refused import Refused
from storage.sources.files.guards import MEGABYTE
from storage.sources.files.number_formats import SINCE_1900, SINCE_1904, Formats
from storage.sources.files.pieces import MOST_COLUMNS, MOST_RECORD, too_long

AS_TEXT = "Save the sheet as CSV UTF-8; text files may be of any size."
MOST_ROWS = 1_048_576
"""As many as a sheet has in any program."""

_CHUNK = 8 * 1024
"""Few, for the rows in it are held together."""

_MOST_SHEET = 1024 * MEGABYTE
_MOST_TEXTS_PART = 32 * MEGABYTE
_MOST_TEXTS = 400_000
_MOST_OTHER = 16 * MEGABYTE
_MOST_ELEMENTS = 1_000_000
_MOST_GAP = 4 * MEGABYTE
"""Bytes of a sheet without the end of a row."""

_MOST_CELLS = 16_384
_LONG = 64 * 1024
_TEXT_RATIO, _TEXT_FREE = 200, 64 * MEGABYTE
"""Cells share their texts: so many times the file's size may come out of it."""

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _plain(tag: str) -> str:
    return tag if ":" not in tag else tag.rpartition(":")[2]


def _no_doctype(*_: object) -> None:
    raise ValueError("it declares a document type")


def _parser() -> xml.parsers.expat.XMLParserType:
    parser = xml.parsers.expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype  # entities are declared there, and no spreadsheet does
    return parser


def _fed(stream: IO[bytes], parser: xml.parsers.expat.XMLParserType) -> Iterator[int]:
    """Parses the stream piece by piece, each time telling the bytes so far; a tag without end is not waited for."""
    fed = 0
    while data := stream.read(_CHUNK):
        parser.Parse(data, False)
        fed += len(data)
        if fed - parser.CurrentByteIndex > MOST_RECORD:
            raise ValueError("it has a tag without end")
        yield fed
    parser.Parse(b"", True)
    yield fed


class Texts:
    """The texts that cells share, end to end in one buffer: a list of strings would take several times as much."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, text: str) -> None:
        self._buffer += text.encode()
        self._ends.append(len(self._buffer))

    def size(self, number: int) -> int:
        """Bytes of a text, known before it is made. Raises IndexError."""
        if number < 0:
            raise IndexError(number)
        return self._ends[number + 1] - self._ends[number]

    def __getitem__(self, number: int) -> str:
        return self._buffer[self._ends[number] : self._ends[number + 1]].decode()


class Workbook:
    """An XLSX whose parts are sound from the outside. `name` is for people; `size`: its bytes on disk."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self.size = file.seek(0, 2)
        file.seek(0)
        self._archive = zipfile.ZipFile(file)
        main = self._related("", "officeDocument")
        if main is None:
            raise ValueError("it holds no workbook")
        self._main = main
        self._sheet, self._since = self._first_sheet()
        self._formats = self._read_formats()
        self._texts = self._read_texts()

    def _open(self, part: str, most: int) -> IO[bytes]:
        info = self._archive.getinfo(part)
        if info.file_size > most:
            raise Refused(f"{self.name}: its part {part[:80]!r} has {info.file_size // MEGABYTE} MB.", AS_TEXT)
        return self._archive.open(info)

    def _starts(self, part: str, most: int = _MOST_ELEMENTS) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The tags of a small part with their attributes, in order. Raises Refused where there are too many."""
        found: list[tuple[str, dict[str, str]]] = []
        parser = _parser()
        parser.StartElementHandler = lambda tag, attributes: found.append((_plain(tag), attributes))
        count = 0
        with self._open(part, _MOST_OTHER) as stream:
            for _ in _fed(stream, parser):
                count += len(found)
                if count > most:
                    raise Refused(f"{self.name}: its part {part[:80]!r} has more than {most:,} entries.", AS_TEXT)
                yield from found
                found.clear()

    def _relations(self, part: str) -> Iterator[tuple[str, str, str]]:
        """Id, kind and target of what a part relates to."""
        folder, base = posixpath.split(part)
        names = self._archive.NameToInfo
        where = posixpath.join(folder, "_rels", f"{base}.rels")
        if where not in names:
            return
        for tag, said in self._starts(where, 10_000):
            if tag == "Relationship" and said.get("TargetMode") != "External":
                target = said.get("Target", "")
                path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
                yield said.get("Id", ""), said.get("Type", "").rpartition("/")[2], path

    def _related(self, part: str, kind: str) -> str | None:
        return next((path for _, what, path in self._relations(part) if what == kind), None)

    def _first_sheet(self) -> tuple[str, datetime]:
        """The part of the first sheet that is no chart, and the day zero of its dates."""
        sheets = {
            key: path
            for key, kind, path in self._relations(self._main)
            if kind == "worksheet" and path in self._archive.NameToInfo
        }
        since = SINCE_1900
        first = ""
        for tag, said in self._starts(self._main):
            if tag == "workbookPr" and said.get("date1904", "") in ("1", "true"):
                since = SINCE_1904
            elif tag == "sheet" and not first:
                first = next((sheets[v] for k, v in said.items() if _plain(k) == "id" and v in sheets), "")
        if not first:
            raise Refused(f"{self.name} has no sheet.", AS_TEXT)
        return first, since

    def _read_formats(self) -> Formats:
        part = self._related(self._main, "styles")
        codes: dict[str, str] = {}
        styles: list[str] = []
        section = ""
        for tag, said in self._starts(part) if part and part in self._archive.NameToInfo else ():
            if tag in ("numFmts", "cellXfs") or tag.endswith(("Xfs", "xfs", "Styles")):
                section = tag
            elif tag == "numFmt" and section == "numFmts":
                codes[said.get("numFmtId", "")] = said.get("formatCode", "")[:255]
            elif tag == "xf" and section == "cellXfs":
                styles.append(said.get("numFmtId", "0"))
        return storage.sources.files.number_formats.of(styles, codes, self._since)

    def _read_texts(self) -> Texts:
        """The texts that cells share. Raises Refused where there are more than can be read in time."""
        texts = Texts()
        part = self._related(self._main, "sharedStrings")
        if part is None or part not in self._archive.NameToInfo:
            return texts
        said: list[str] = []
        wanted = False
        phonetic = count = long = 0

        def start(tag: str, _: Mapping[str, str]) -> None:
            nonlocal wanted, phonetic, count
            count += 1
            tag = _plain(tag)
            if tag == "t":
                wanted = not phonetic
            elif tag == "rPh":
                phonetic += 1

        def end(tag: str) -> None:
            nonlocal wanted, phonetic, long
            tag = _plain(tag)
            if tag == "t":
                wanted = False
            elif tag == "si":
                texts.add(unescaped("".join(said)))
                said.clear()
                long = 0
            elif tag == "rPh":
                phonetic -= 1

        def text(found: str) -> None:
            nonlocal long
            if wanted:
                said.append(found)
                long += len(found)
                if long > MOST_RECORD:
                    raise Refused(f"{self.name} has a text longer than {MOST_RECORD // MEGABYTE} MB.", AS_TEXT)

        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
        with self._open(part, _MOST_TEXTS_PART) as stream:
            for _ in _fed(stream, parser):
                if len(texts) > _MOST_TEXTS or count > 5 * _MOST_TEXTS:
                    raise Refused(f"{self.name} has more than {_MOST_TEXTS:,} different texts.", AS_TEXT)
        return texts

    def _row(self, row: _Numbered) -> Row:
        cells = [self._texts[cell] if isinstance(cell, int) else cell for cell in row.cells]
        return Row(row.number, cells, row.size if row.size < _LONG else sum(map(sys.getsizeof, cells)))

    def rows(self) -> Iterator[Row]:
        """Number and cells of each row of the first sheet that has a cell, in order. Raises Refused, ValueError."""
        reader = _Rows(self.name, self._texts, self._formats)
        out = last = 0
        with self._open(self._sheet, _MOST_SHEET) as stream:
            for fed in _fed(stream, reader.parser):
                if reader.rows:
                    last = fed
                elif fed - last > _MOST_GAP:
                    raise too_long(self.name, reader.number)
                for row in reader.rows:
                    out += row.size
                    if out > _TEXT_FREE and out > _TEXT_RATIO * self.size:
                        raise storage.sources.files.guards.bomb(self.name)
                    yield self._row(row)
                reader.rows.clear()
                if reader.done:
                    return


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet; `size` is the bytes of its texts, and those that they take in memory where they are long."""

    number: int
    cells: list[str | None]
    size: int


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A row whose shared texts are still their numbers.

    They are made row by row as these are taken: a few bytes each stand for a text of up to 1 MB, which in Python is
    four times as long where one character of it is rare, and a chunk of the sheet holds hundreds of them.
    """

    number: int
    cells: list[str | int | None]
    size: int


class _Rows:
    """Makes rows out of the tags of a sheet; `rows` are those that are whole and not yet taken."""

    def __init__(self, name: str, texts: Texts, formats: Formats) -> None:
        self.rows: list[_Numbered] = []
        self.number = 0
        self.done = False
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._name, self._texts, self._formats = name, texts, formats
        self._cells: list[str | int | None] = []
        self._said: list[str] = []
        self._wanted = False
        self._phonetic = self._column = self._count = self._size = 0
        self._kind, self._style = "n", "0"
        self._places: dict[str, int] = {}

    def _start(self, tag: str, said: Mapping[str, str]) -> None:
        tag = _plain(tag)
        if tag == "c":
            place = said.get("r")
            self._column = self._column + 1 if place is None else self._place(place)
            self._kind, self._style = said.get("t", "n"), said.get("s", "0")
            self._count += 1
            if self._count > _MOST_CELLS:
                raise too_long(self._name, self.number)
        elif tag == "v" or tag == "t":
            self._wanted = not self._phonetic
        elif tag == "row":
            number = int(said.get("r", self.number + 1))
            if number <= self.number:
                raise ValueError(f"row {number} follows row {self.number}")
            self.number = number
            self._column = self._count = self._size = 0
        elif tag == "rPh":
            self._phonetic += 1

    def _end(self, tag: str) -> None:
        tag = _plain(tag)
        if tag == "c":
            if self._said:
                self._cell("".join(self._said))
                self._said.clear()
        elif tag == "v" or tag == "t":
            self._wanted = False
        elif tag == "row":
            if self.number > MOST_ROWS:
                raise ValueError(f"it has a row {self.number}")
            self.rows.append(_Numbered(self.number, self._cells, self._size))
            self._cells = []
        elif tag == "rPh":
            self._phonetic -= 1
        elif tag == "sheetData":
            self.done = True

    def _text(self, found: str) -> None:
        if self._wanted and not self.done:
            self._said.append(found)
            self._grow(len(found))

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MOST_RECORD:
            raise too_long(self._name, self.number)

    def _place(self, place: str) -> int:
        """Number of a column, from 1, of a cell's place like BC12."""
        letters = place.rstrip("0123456789")
        found = self._places.get(letters)
        if found is None:
            if not re.fullmatch("[A-Z]{1,3}", letters):
                raise ValueError(f"it has a cell {place[:20]!r}")
            found = 0
            for letter in letters:
                found = found * 26 + ord(letter) - 64
            self._places[letters] = found
        return found

    def _cell(self, text: str) -> None:
        value: str | int | None = text
        if self._kind == "s":
            value = int(text)
            self._grow(self._texts.size(value))
        elif self._kind == "n":
            value = self._formats.read(text.strip(), int(self._style)) if text.strip() else None
        elif self._kind == "b":
            value = "true" if text.strip() in ("1", "true") else "false"
        elif self._kind == "d":
            value = _iso(text.strip())
        else:
            value = unescaped(text)
        place = min(self._column, MOST_COLUMNS + 1)  # one too many is as telling as thousands
        if len(self._cells) < place:
            self._cells += [None] * (place - len(self._cells))
        self._cells[place - 1] = value


def _iso(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat(" ", "seconds")
    except ValueError:
        return text


def unescaped(text: str) -> str:
    """A text with _x000D_ for what XML cannot hold, as it was."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: _sign(int(found[1], 16)) or found[0], text)


def _sign(code: int) -> str:
    return chr(code) if code in (9, 10, 13) or (code >= 32 and not 0xD800 <= code < 0xE000) else ""
