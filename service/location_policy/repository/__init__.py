"""Git: what is read from a repository, and what is written to it."""
