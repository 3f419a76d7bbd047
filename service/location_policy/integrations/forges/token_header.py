"""How a token is shown to a forge."""

from __future__ import annotations


def token_header(token: str, *, is_gitlab: bool) -> tuple[str, str]:
    """The header of a token, by the documentation of GitLab, or of GitHub, Gitea and Forgejo."""
    return ("PRIVATE-TOKEN", token) if is_gitlab else ("Authorization", f"token {token}")
