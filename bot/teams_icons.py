"""The two icons a Teams app must bring, drawn by code: they stay in step with the colour and need no picture files."""

from __future__ import annotations

import struct
import zlib

COLOR = (0x7A, 0x1F, 0x2B)
WHITE = (0xFF, 0xFF, 0xFF)
_FINE = 4
"""Samples a side of a pixel, for smooth edges."""


def color() -> bytes:
    """192 × 192: the mark in white on the product's red."""
    return _png(192, background=True)


def outline() -> bytes:
    """32 × 32: the mark in white, all else transparent, as Teams asks."""
    return _png(32, background=False)


def _inside(x: float, y: float) -> bool:
    """The mark in a unit square: a scorecard, reds first, each line begun by the sign of its status (▼ ◆ ●)."""
    for middle, sign in ((9 / 32, _triangle), (16 / 32, _diamond), (23 / 32, _disc)):
        if sign((x - 9 / 32) * 32, (y - middle) * 32) or (13.5 <= x * 32 <= 26 and abs(y - middle) * 32 <= 1):
            return True
    return False


def _triangle(x: float, y: float) -> bool:
    return -2.5 <= y <= 2.5 and abs(x) <= (2.5 - y) * 0.6


def _diamond(x: float, y: float) -> bool:
    return abs(x) + abs(y) <= 3


def _disc(x: float, y: float) -> bool:
    return x * x + y * y <= 2.5**2


def _png(size: int, *, background: bool) -> bytes:
    rows = bytearray()
    for top in range(size):
        rows.append(0)  # no filter
        for left in range(size):
            covered = sum(
                _inside((left + (i + 0.5) / _FINE) / size, (top + (j + 0.5) / _FINE) / size)
                for i in range(_FINE)
                for j in range(_FINE)
            )
            share = covered / _FINE**2
            if background:
                rows += bytes(round(c + (w - c) * share) for c, w in zip(COLOR, WHITE, strict=True)) + b"\xff"
            else:
                rows += bytes((*WHITE, round(255 * share)))
    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)  # eight bits of red, green, blue and alpha
    parts = (_part(b"IHDR", head), _part(b"IDAT", zlib.compress(bytes(rows), 9)), _part(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _part(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
