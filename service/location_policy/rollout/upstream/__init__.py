"""A service that is followed: what it tells, the wait for it, and what is told to it."""
