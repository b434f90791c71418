"""Alembic migrations; a package, so that an installed Redfirst carries them."""
