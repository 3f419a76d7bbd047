"""What pages and forms ask: the repository, old maps and changes, each in a thread."""
