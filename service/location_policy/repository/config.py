"""What the git config of a repository says (git-config)."""

from __future__ import annotations

from collections.abc import Mapping

from .git import Git, found

SECTION = "location-policy"
"""The section that binds hook and service alike."""

PROC_RECEIVE = "receive.procReceiveRefs"
"""The key that names the refs that the hook proc-receive handles, many values."""


def read_section(git: Git) -> Mapping[str, str]:
    """Our section, keys in lower case as git gives them; a key without `=` is "true"."""
    text = (found(git, "config", "--null", "--get-regexp", rf"^{SECTION}\.") or b"").decode(errors="surrogateescape")
    pairs = (entry.partition("\n") for entry in text.split("\0") if entry)
    return {key.removeprefix(f"{SECTION}."): value if equals else "true" for key, equals, value in pairs}


def config_values(git: Git, key: str) -> list[str]:
    """The values of a key in the repository's own config, not what we tell git besides."""
    text = (found(git, "config", "--local", "--includes", "--null", "--get-all", key) or b"").decode(errors="replace")
    return [value for value in text.split("\0") if value]


def config_matching(git: Git, pattern: str) -> Mapping[str, str]:
    """The last value of each key that a pattern matches, keys in lower case but for their middle part."""
    said = found(git, "config", "--local", "--includes", "--null", "--get-regexp", pattern) or b""
    entries = filter(None, said.decode(errors="replace").split("\0"))
    return {key: value for key, _, value in (entry.partition("\n") for entry in entries)}


def config_number(git: Git, key: str) -> int | None:
    """A number, with its unit reckoned in; None where there is none."""
    text = found(git, "config", "--type=int", "--get", key)
    return None if text is None else int(text)


def is_true(value: str | None) -> bool:
    """Does a value say yes (git-config, "boolean")?"""
    return value is not None and value.lower() in ("true", "yes", "on", "1")
