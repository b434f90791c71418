"""The memory: tables, queries, and the readers of other systems' files."""
