"""Commands for the files that users bring: import, check, schema."""
