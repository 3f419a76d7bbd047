"""Names that Pexip has, made known in the same commit as the rows that need them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..config.commit import Commit
from ..config.files import RULES_PATH
from ..config.known_names import with_known
from ..config.policy_toml import read_rules
from ..errors import NotWritable
from ..repository.new_commits import Author, CommitDraft
from ..repository.repository import Repository
from ..text import quote
from .intent import Intent


@dataclass(frozen=True, slots=True)
class WithKnown:
    """Another change, before which these names are added to `known`."""

    intent: Intent
    names: tuple[str, ...]

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:
        """The branch with both; raises what the other change raises, and NotWritable."""
        rules = repository.content_at(tip.tree, RULES_PATH)
        after = known_added(rules, self.names)
        if after == rules:
            return self.intent.draft(repository, tip, author)
        tree = repository.change_files(tip.tree, {RULES_PATH: after})
        draft = self.intent.draft(repository, replace(tip, tree=tree), author)
        return draft._replace(body=f"{draft.body}\n\n{added_line(rules, self.names)}")


def known_added(rules: bytes, names: Iterable[str]) -> bytes:
    """The rules with these names known too; where they know none, any name is taken, and they stay as they are.

    Raises NotWritable where the place is not found.
    """
    known = read_rules(rules)[0].known
    if not known or not (come := _new(known, names)):
        return rules
    try:
        return with_known(rules, [*known, *come])
    except ValueError as error:
        hint = f"add the names to known in {RULES_PATH} in a clone, and push it"
        raise NotWritable(f"{RULES_PATH} cannot be changed here: {error}", hint) from None


def added_line(rules: bytes, names: Iterable[str]) -> str:
    """What the commit says of it."""
    come = _new(read_rules(rules)[0].known, names)
    return f"Added to known in {RULES_PATH}: {', '.join(map(quote, come))}."


def _new(known: Iterable[str], names: Iterable[str]) -> list[str]:
    there = set(known)
    return [name for name in dict.fromkeys(names) if name and name not in there]
