"""Hostile files: each is refused within two seconds and 64 MB of extra memory, measured in a process of its own."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MEGABYTE = 1024 * 1024
SECONDS = 2.0
EXTRA = 64.0
READ = """
import json, re, sys, time
from pathlib import Path
import polars
import scoring.refused, storage.sources, storage.sources.maps
import storage.sources.files.sheets
polars.read_csv(b"a,b\\n1,2\\n")  # polars starts its threads at the first use

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

Path("/proc/self/clear_refs").write_text("5")
before, start, work = peak(), time.perf_counter(), time.process_time()
rows, rejects, said = 0, 0, ""
try:
    for batch in storage.sources.read([Path(sys.argv[1])], storage.sources.maps.load("standard"), "ticket"):
        rows += batch.frame.height
        rejects += len(batch.rejects)
except scoring.refused.Refused as refused:
    said = str(refused)
# a busy machine makes the clock run ahead of the work, two threads make the work run ahead of the clock
seconds = min(time.perf_counter() - start, time.process_time() - work)
print(json.dumps([said, rows, rejects, seconds, peak() - before]))
"""
HEAD = b"number,opened_at,title\n"


def squeezed(data: bytes, times: int) -> bytes:
    """gzip of `data` repeated, made without holding it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(HEAD), *(packer.compress(data) for _ in range(times)), packer.flush()])


def archive(name: str, data: bytes, times: int = 1) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped, zipped.open(name, "w") as member:
        for _ in range(times):
            member.write(data)
    return out.getvalue()


def workbook(sheet: bytes, shared: bytes = b"", times: int = 1, also: Mapping[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    also = {} if also is None else also
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{types}.sharedStrings+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/></Types>',
        )
        zipped.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{kind}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        relations = (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{kind}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{kind}/sharedStrings" Target="sharedStrings.xml"/>'
            f'<Relationship Id="r3" Type="{kind}/styles" Target="styles.xml"/></Relationships>'
        )
        parts: dict[str, str | bytes] = {"xl/_rels/workbook.xml.rels": relations, **also}
        for name, data in parts.items():
            zipped.writestr(name, data)
        zipped.writestr(
            "xl/workbook.xml",
            '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
            f'xmlns:r="{kind}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        with zipped.open("xl/sharedStrings.xml", "w") as part:
            part.write(shared or b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>')
        with zipped.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(times):
                part.write(sheet)
    return out.getvalue()


SPACE = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def sheet(rows: bytes) -> bytes:
    return b"<worksheet " + SPACE + b"><sheetData>" + rows + b"</sheetData></worksheet>"


def texts(inner: bytes) -> bytes:
    return b"<sst " + SPACE + b">" + inner + b"</sst>"


def noisy(tags: bytes, count: int) -> bytes:
    """So many tags, with as much noise between them as keeps the ratio of a harmless file."""
    noise = os.urandom(250_000).hex().encode()
    each = tags * (count // 10_000) + b"<!--%b-->"
    return b"".join(each % noise[start : start + 50] for start in range(0, len(noise), 50))


HEADER = b'<row r="1"><c r="A1" t="str"><v>number</v></c><c r="B1" t="str"><v>opened_at</v></c></row>'


def repeated() -> bytes:
    """A long text, written once and shown in every cell."""
    shared = texts(b"<si><t>" + os.urandom(16_000).hex().encode() + b"</t></si>")
    row = b"<row>" + b'<c t="s"><v>0</v></c>' * 30 + b"</row>"
    return workbook(sheet(HEADER + noisy(row, 20_000)), shared)


LONG = texts(b"<si><t>" + b"x" * 1_000_000 + "\U0001f525".encode() + b"</t></si>")
"""A text that takes four bytes a character once it is made, for one of them is beyond the first 65,536."""


def titled(shown: bytes) -> bytes:
    """Rows that can be loaded, each with a long title."""
    row = b'<row><c t="str"><v>1</v></c><c t="str"><v>2026-03-01</v></c>' + shown + b"</row>"
    header = HEADER.replace(b"</row>", b'<c r="C1" t="str"><v>title</v></c></row>')
    return workbook(sheet(header + row * 3_000), LONG)


def laughs() -> bytes:
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha" * 100) for n in range(10))
    return b"<!DOCTYPE x [" + entities + b"]>" + sheet(b'<row r="1"><c r="A1" t="str"><v>&l9;</v></c></row>')


def overlapping() -> bytes:
    """An archive whose directory names the same bytes many times."""
    data = bytearray(archive("0.csv", HEAD + b"1,2026-03-01,x\n" * 50_000))
    start = data.rindex(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    entries = b"".join(bytes(data[start:end]).replace(b"0.csv", b"%d.csv" % (n % 10), 1) for n in range(60))
    tail = bytearray(data[end:])
    struct.pack_into("<HHL", tail, 8, 60, 60, len(entries))
    return bytes(data[:start]) + entries + bytes(tail)


def crowded() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for n in range(40_000):
            zipped.writestr(f"{n}.csv", b"")
    return out.getvalue()


def lying() -> bytes:
    """An archive that claims its member to be small."""
    data = bytearray(archive("tickets.csv", HEAD + b"0" * MEGABYTE, 50))
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, at + 24, 1000)
    return bytes(data)


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "gzip bomb of one line": ("t.csv.gz", lambda: squeezed(b"0" * MEGABYTE, 300), "decompression bomb"),
    "gzip bomb of many lines": ("t.csv.gz", lambda: squeezed(b"1,2026-03-01,x\n" * 70_000, 300), "decompression bomb"),
    "gzip bomb of line ends": ("t.csv.gz", lambda: squeezed(b"\n" * MEGABYTE, 300), "decompression bomb"),
    "gzip bomb of JSON": (
        "t.jsonl.gz",
        lambda: squeezed(b'{"number": "1", "opened_at": "2026-03-01"}\n' * 25_000, 300),
        "decompression bomb",
    ),
    "zip bomb": ("t.zip", lambda: archive("t.csv", b"1,2026-03-01,x\n" * 70_000, 300), "decompression bomb"),
    "zip that lies about a size": ("t.zip", lying, "damaged"),
    "zip with overlapping members": ("t.zip", overlapping, "overlap"),
    "zip with too many members": ("t.zip", crowded, "far too many files"),
    "zip in a zip": ("t.zip", lambda: archive("inner.zip", archive("t.csv", HEAD)), "packed again"),
    "empty workbook in a zip": ("t.zip", lambda: archive("t.xlsx", workbook(sheet(b""))), "is empty"),
    "workbook bomb in a zip": (
        "t.zip",
        lambda: archive("t.xlsx", workbook(b" " * MEGABYTE, times=300)),
        "decompression bomb",
    ),
    "workbook bomb in a gzip": (
        "t.xlsx.gz",
        lambda: gzip.compress(workbook(b" " * MEGABYTE, times=300)),
        "decompression bomb",
    ),
    "zip bomb that calls itself a workbook": ("t.zip", lambda: archive("t.xlsx", b"0" * MEGABYTE, 300), "bomb"),
    "zip with a way out": ("t.zip", lambda: archive("../../etc/t.csv", HEAD), "leads out of the archive"),
    "zip with an absolute name": ("t.zip", lambda: archive("/etc/t.csv", HEAD), "leads out of the archive"),
    "zip with a drive": ("t.zip", lambda: archive("C:/t.csv", HEAD), "leads out of the archive"),
    "zip that is none": ("t.zip", lambda: b"PK\x03\x04" + os.urandom(5000), "no sound archive"),
    "gzip that is none": ("t.csv.gz", lambda: os.urandom(5000), "damaged"),
    "gzip cut short": ("t.csv.gz", lambda: gzip.compress(HEAD + os.urandom(99999).hex().encode())[:40_000], ""),
    "workbook bomb": ("t.xlsx", lambda: workbook(b" " * MEGABYTE, times=300), "decompression bomb"),
    "workbook with a bomb of texts": (
        "t.xlsx",
        lambda: workbook(sheet(b""), b"<si/>" * 60_000_000),
        "decompression bomb",
    ),
    "small workbook of three million texts": (
        "t.xlsx",
        lambda: workbook(sheet(HEADER), texts(noisy(b"<si/>", 3_000_000))),
        "more than 400,000 different texts",
    ),
    "small workbook of texts in pieces": (
        "t.xlsx",
        lambda: workbook(sheet(HEADER), texts(b"<si>" + noisy(b"<t/>", 3_000_000) + b"</si>")),
        "more than 400,000 different texts",
    ),
    "workbook of forty megabytes of texts": (
        "t.xlsx",
        lambda: workbook(
            sheet(HEADER),
            texts(b"".join(b"<si><t>Printer %d on floor %d is out of toner</t></si>" % (n, n) for n in range(700_000))),
        ),
        "Save the sheet as CSV UTF-8",
    ),
    "small workbook of many relations": (
        "t.xlsx",
        lambda: workbook(
            sheet(HEADER), also={"xl/_rels/workbook.xml.rels": b"<Relationships>" + noisy(b"<Relationship/>", 900_000)}
        ),
        "more than 10,000 entries",
    ),
    "small workbook of many styles": (
        "t.xlsx",
        lambda: workbook(
            sheet(HEADER), also={"xl/styles.xml": b"<styleSheet><cellXfs>" + noisy(b"<xf/>", 2_000_000)}
        ),
        "more than 1,000,000 entries",
    ),
    "small workbook of one row": (
        "t.xlsx",
        lambda: workbook(sheet(HEADER + b"<row>" + noisy(b"<c/>", 5_000_000) + b"</row>")),
        "longer than 1 MB",
    ),
    "small workbook of one cell in pieces": (
        "t.xlsx",
        lambda: workbook(sheet(HEADER + b"<row><c>" + noisy(b"<v/>", 5_000_000) + b"</c></row>")),
        "longer than 1 MB",
    ),
    "small workbook of columns": ("t.xlsx", lambda: workbook(noisy(b"<col/>", 3_000_000)), "no sound workbook"),
    "small workbook of empty rows": (
        "t.xlsx",
        lambda: workbook(sheet(HEADER + noisy(b"<row/>", 5_000_000))),
        "blank rows",
    ),
    "workbook of one text in every cell": ("t.xlsx", repeated, "decompression bomb"),
    "tiny workbook of one long text in every row": (
        "t.xlsx",
        lambda: workbook(sheet(HEADER + b'<row><c t="s"><v>0</v></c></row>' * 3_000), LONG),
        "decompression bomb",
    ),
    "tiny workbook of one long title": ("t.xlsx", lambda: titled(b'<c t="s"><v>0</v></c>'), "decompression bomb"),
    "small workbook of one text of many megabytes": (
        "t.xlsx",
        lambda: workbook(
            sheet(HEADER),
            texts(b"<si><t>\xf0\x9f\x94\xa5" + os.urandom(10 * MEGABYTE).hex().encode() + b"</t></si>"),
        ),
        "a text longer than 1 MB",
    ),
    "workbook with a tag without end": (
        "t.xlsx",
        lambda: workbook(b'<worksheet x="' + os.urandom(5 * MEGABYTE).hex().encode() + b'"/>'),
        "a tag without end",
    ),
    "workbook of entities": ("t.xlsx", lambda: workbook(laughs()), "no sound workbook"),
    "workbook with a far cell": (
        "t.xlsx",
        lambda: workbook(sheet(b'<row r="1"><c r="XFD1" t="str"><v>x</v></c></row>')),
        "columns, expected at most",
    ),
    "workbook with a far row": (
        "t.xlsx",
        lambda: workbook(
            sheet(
                b'<row r="1"><c r="A1" t="str"><v>number</v></c><c r="B1" t="str"><v>opened_at</v></c></row>'
                b'<row r="1048576"><c r="A1048576" t="str"><v>1</v></c></row>'
            )
        ),
        "blank rows",
    ),
    "workbook that is none": ("t.xlsx", lambda: archive("hello.txt", b"hello"), "no sound workbook"),
    "nothing but line ends": ("t.csv", lambda: HEAD + b"\n" * 50 * MEGABYTE, "only blank lines"),
    "endless line": ("t.csv", lambda: HEAD + b"0" * 50 * MEGABYTE, "longer than 1 MB"),
    "endless header": ("t.csv", lambda: b"0" * 50 * MEGABYTE, "longer than 1 MB"),
    "endless quote": ("t.csv", lambda: HEAD + b'1,2026-03-01,"' + b"x\n" * 5 * MEGABYTE, "none can be read"),
    "nothing but quotes": ("t.csv", lambda: HEAD + b'"' * 9 * MEGABYTE, "longer than 1 MB"),
    "a quote opened on every line": ("t.csv", lambda: HEAD + b'1,2026-03-01,"x\n' * 300_001, "quotes are wrong"),
    "a million columns": ("t.csv", lambda: b"a," * 400_000 + b"b\n", "columns, expected at most"),
    "a million empty columns": ("t.csv", lambda: b"," * 900_000 + b"\n", "columns, expected at most"),
    "UTF-16": ("t.csv", lambda: (HEAD * 100_000).decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": ("t.csv", lambda: (HEAD * 100_000).decode().encode("utf-16-le"), "NUL byte"),
    "noise": ("t.csv", lambda: os.urandom(5 * MEGABYTE), "found "),
    "one long JSON line": ("t.jsonl", lambda: b'{"number": "' + b"x" * 50 * MEGABYTE + b'"}', "longer than 1 MB"),
    "deep JSON": ("t.jsonl", lambda: b'{"number": ' + b"[" * 400_000 + b"\n", "nested deeper than 32"),
    "deep JSON objects": (
        "t.jsonl",
        lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n",
        "nested deeper than 32",
    ),
    "a JSON number without end": ("t.jsonl", lambda: b'{"number": ' + b"9" * 900_000 + b"}\n", "found no JSON"),
    "a JSON object of many keys": (
        "t.jsonl",
        lambda: json.dumps({f"k{n}": n for n in range(60_000)}).encode(),
        "columns, expected at most",
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="Peak memory is read from /proc.")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_quickly_and_cheaply(name: str, tmp_path: Path) -> None:
    file, make, expected = HOSTILE[name]
    path = tmp_path / file
    path.write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    said, rows, rejects, seconds, extra = json.loads(done.stdout)
    assert said, f"{rows} rows and {rejects} rejects were taken from a hostile file"
    assert expected in said
    assert "Traceback" not in done.stderr
    assert seconds < SECONDS
    assert extra < EXTRA


@pytest.mark.skipif(sys.platform != "linux", reason="Peak memory is read from /proc.")
def test_a_line_of_ten_gigabytes_is_refused_quickly_and_cheaply(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        file.write(HEAD)
        file.truncate(10 * 1024 * MEGABYTE)  # a hole, which reads as NUL bytes without a line end
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    said, _, _, seconds, extra = json.loads(done.stdout)
    assert "longer than 1 MB" in said or "NUL" in said
    assert seconds < SECONDS
    assert extra < EXTRA


def test_a_pipe_a_directory_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    import storage.sources
    import storage.sources.maps
    from scoring.refused import Refused

    os.mkfifo(tmp_path / "t.csv")
    for path, what in (
        (tmp_path / "t.csv", "is no file"),
        (tmp_path, "is no file"),
        (tmp_path / "x.csv", "There is no file"),
    ):
        with pytest.raises(Refused, match=what):
            list(storage.sources.read([path], storage.sources.maps.load("standard"), "ticket"))
