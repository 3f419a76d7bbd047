"""Pages and API answers that only read."""
