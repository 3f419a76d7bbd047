"""Another repository that is followed: its URL, the credentials for it, and the copy of it."""
