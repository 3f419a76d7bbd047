"""HTTP in front of a snapshot: the policy API, pages, forms, status and metrics."""
