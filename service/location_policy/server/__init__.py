"""Bytes to ASGI: sockets, TLS, limits, timeouts and signals."""
