"""Notifications: what has changed, as a webhook or a card of a chat program."""
