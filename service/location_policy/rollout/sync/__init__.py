"""Looks at the source that were asked for: their numbers, what became of them, and the files that say so."""
