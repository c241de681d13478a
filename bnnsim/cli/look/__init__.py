"""Commands that show or hand over one design: report, compare, trace, vectors."""
