"""Files that people export from their systems: text, sheets and JSON Lines, guarded against what they may hide."""
