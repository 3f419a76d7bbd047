"""The commands that git runs at a push."""
