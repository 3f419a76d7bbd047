"""The service, put together: what `serve` does."""
