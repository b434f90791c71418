"""Readers of files and ticket systems; each knows nothing of the others."""

from storage.sources.files.reading import Batch as Batch
from storage.sources.files.reading import check as check
from storage.sources.files.reading import read as read
