"""Views: calls that a map of their own answers, known by closed parameters of a request."""
