"""The tables of what Redfirst says by itself and of what people agree on, in the metadata of `storage.models`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from storage.models import metadata
