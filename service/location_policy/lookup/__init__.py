"""One commit in memory, and every question that is asked of it; pure."""
