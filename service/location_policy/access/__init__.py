"""Who asks, and what they may: passwords, roles, trusted proxies."""
