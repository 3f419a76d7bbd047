"""Two maps, and what changes from one to the other; pure."""
