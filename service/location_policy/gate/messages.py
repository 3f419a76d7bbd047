"""What the pusher is told of a verdict: the plan, what is wrong and how to mend it.

git puts `remote: ` before each line: prose stays under 70 columns. What comes from the push is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ..config.commit import Commit
from ..config.files import RULES_PATH
from ..plan.affected_owners import AffectedOwner
from ..plan.as_text import SHOWN_OWNERS, plan_lines, total_line, touched_text
from ..plan.limits import Excess
from ..problems import Problems, joined
from ..repository.signing_policy import why
from ..text import count, escape, quote
from .effect import Effect
from .overrides import OPTION, TRAILER, limit_text, told_reason
from .ref_updates import DRY_RUN, free_name, nested_name
from .verdict import Dropped, InvalidCommit, Move, OlderCommits, SignatureCheck, Unjudged, Verdict

SHOWN_RULES = 20
"""Lines about rules that are printed to the pusher; the rest is counted."""
SHOWN_PROBLEMS = 50
"""Problems that are printed to the pusher; the rest is counted."""
SHOWN_EXCESS = 20
"""Limits that are told to be exceeded, of which each pair of views has its own; the rest is counted."""
SHOWN_REASONS = 5
"""Reasons of a refusal that are kept."""
SHOWN_SIGNERS = 10
"""Signers that are named; the rest is counted."""

SKIP_PLAN = "out of time, so what changes is not told: location-policy diff"
"""Nothing is held to what changes, so it was not found out."""
SKIP_WARNINGS = "out of time, so not all warnings are here: location-policy check"
"""What could be better was not looked for to its end."""

_SUBJECT, _AUTHOR = 34, 14
"""Characters that are shown of a commit, so that git's `remote: ` leaves the line within 80 columns."""


def verdict_lines(verdict: Verdict, override: str | None = None) -> Iterator[str]:
    """All that a pusher is told, the plan first and what becomes of the push last.

    `override` is the command by which limits are exceeded for a commit that is made here, "" where there is none;
    None: this is a push, and its pusher can also mend the commits.
    """
    if not verdict.updates:
        yield "standard input names no ref, so nothing can be judged"
        return
    unjudged = verdict.unjudged
    if unjudged is None or unjudged.why != "reserved":
        for move in verdict.moves:
            yield from _move_lines(move, override)
    if verdict.pin:
        yield f"{verdict.pin.told()}: this waits"
    if unjudged:
        yield from _refuse_unjudged(unjudged)
    if dry := verdict.dry_runs:
        nothing = not verdict.accepted or len(dry) == len(verdict.updates)
        yield "dry run: nothing changed" + (f" by {escape(dry[0].ref)}" * (not nothing))


def refusal_reasons(verdict: Verdict) -> list[str]:
    """Why a push is refused, for its record: a line for each of the first reasons, without plans and hints."""
    if verdict.unjudged:
        return [" ".join(line for line in _refuse_unjudged(verdict.unjudged) if not line.startswith(" "))]
    return [line for move in verdict.moves[-1:] for line in _move_reasons(move)][:SHOWN_REASONS]


def _move_reasons(move: Move) -> Iterator[str]:
    name = escape(move.branch)
    if move.forbidden:
        yield next(_move_lines(move, ""))
    for commit in move.invalid:
        yield from (str(problem).partition("\n")[0] for problem in commit.errors)
    if move.is_too_large and move.effect:
        yield from map(excess_text, move.effect.excess)
    if move.lacks_approval:
        yield next(refuse_unapproved(name, move.unapproved))
    if move.signatures and not move.signatures.accepted:
        yield move.signatures.problem or next(refuse_unsigned(name, move.signatures, move))


def _refuse_unjudged(unjudged: Unjudged) -> Iterator[str]:
    """The verdict on an update whose commits are not looked at."""
    ref = escape(unjudged.update.ref)
    match unjudged.why:
        case "reserved":
            yield f"{ref} is written by the program only"
        case "nested":
            yield f"{ref} is rejected:"
            yield f"git can take it for {escape(nested_name(unjudged.update.ref))}"
            yield f"  hint: git push origin HEAD:{escape(free_name(unjudged.update.ref))}"
        case "in-the-way":
            yield f"{ref} is rejected:"
            yield f"beside it there can be no {escape(unjudged.served)}, which is served"
            yield f"  hint: git push origin HEAD:{escape(free_name(unjudged.update.ref))}"
        case "replaces":
            yield f"{ref} is rejected:"
            yield "git would show another object in the place of one"
            yield f"  hint: commit what is meant: git push origin HEAD:{escape(unjudged.served)}"
        case "no-dry-runs":
            yield "this repository does not know dry runs yet"
            yield f"  hint: on the server run location-policy init {escape(str(unjudged.directory.absolute()))}"
        case "not-served":
            refs = unjudged.update.asked_ref, unjudged.served
            name, branch = (escape(one.removeprefix("refs/heads/")) for one in refs)
            yield f"{name} is not the served branch, so nothing judges it"
            yield f"  hint: git push origin HEAD:{DRY_RUN}{branch}"
        case "not-there":
            yield f"there is no {ref} to delete"


def _move_lines(move: Move, override: str | None) -> Iterator[str]:
    """What is told of one move of the served branch: of its content and of its signatures."""
    name = escape(move.branch)
    if move.forbidden == "deletion":
        yield f"{name} is the served branch and cannot be deleted"
        return
    if move.forbidden == "rewind":
        yield from refuse_rewind(name)
        return
    if move.dropped:
        yield from tell_dropped(name, move.dropped)
    told = [*_content_lines(name, move, override)]
    yield from told
    signatures = move.signatures
    if signatures and not signatures.accepted:
        if told[-1]:
            yield ""
        yield from refuse_unsigned(name, signatures, move)
    elif move.accepted:
        yield from tell_signers(signatures) if signatures else ()
        yield from tell_older(move.older) if move.older else ()
        yield accept(name, len(move.gained))


def _content_lines(name: str, move: Move, override: str | None) -> Iterator[str]:
    """The plan, then what is wrong, or what could be better and what is too much."""
    if "plan" in move.skipped:
        yield SKIP_PLAN
        yield ""
    if move.effect:
        yield from tell_effect(name, move.gained[-1], move.effect)
    if move.invalid:
        yield from refuse_commits(name, len(move.invalid), len(move.gained))
        yield from tell_problems(move.invalid)
        yield from how_to_mend(move) if override is None else ()
        return
    if "warnings" in move.skipped:
        yield SKIP_WARNINGS
    yield from shown(map(str, move.warnings), move.warnings)
    if move.old_warnings:
        from ..plan.new_problems import old_line  # most pushes have none

        yield from old_line(move.old_warnings)
    if move.effect and move.effect.excess:
        yield from _size_lines(name, move, move.effect, override)
    if move.is_too_large and move.lacks_approval:
        yield ""
    if move.unapproved:
        unapproved = move.unapproved
        refused = refuse_unapproved(name, unapproved, is_command=bool(override))
        yield from refused if move.needs_approval else tell_unapproved(unapproved)


def _size_lines(name: str, move: Move, effect: Effect, override: str | None) -> Iterator[str]:
    """What is told of a change that exceeds limits."""
    if move.reason is not None:
        yield from tell_override(effect.excess, move.reason)
        return
    yield from refuse_size(name, effect.excess)
    yield from tell_nearly(effect.nearly) if effect.nearly else ()
    yield from how_to_override(override)


def tell_effect(name: str, tip: str, effect: Effect) -> Iterator[str]:
    """The plan, under a line that says what is compared; `tip` is an id."""
    base = effect.base.commit
    if base is None:
        yield f"{name} is served for the first time:"
        yield total_line(effect.plan)
    else:
        yield f"what changes on {name} since {base.id[:10]}:"
        yield from plan_lines(effect.plan, f"location-policy diff {base.id[:10]} {tip[:10]} --all", SHOWN_RULES)
    if effect.returns_to:
        yield f"returns to {tell_commit(effect.returns_to)}"
    yield ""


def accept(name: str, commits: int) -> str:
    """The verdict on what can be taken; another hook of the site may still refuse it."""
    return f"valid: {count(commits, 'commit')} for {name}"


def refuse_commits(name: str, refused: int, commits: int) -> Iterator[str]:
    """The verdict on what is not valid."""
    yield f"{name} is rejected: {refused:,} of {count(commits, 'commit')} {_has(refused)} errors"


def refuse_size(name: str, excess: Sequence[Excess]) -> Iterator[str]:
    """The verdict on what is larger than one push may be."""
    yield f"{name} is rejected: change limit exceeded"
    for one in excess[:SHOWN_EXCESS]:
        yield f"  {excess_text(one)}"
    yield from _other_limits(excess)


def _other_limits(excess: Sequence[Excess]) -> Iterator[str]:
    """How much more is over a limit than is told."""
    if len(excess) > SHOWN_EXCESS:
        yield f"  … and {len(excess) - SHOWN_EXCESS:,} more"


def excess_text(one: Excess) -> str:
    """What is over a limit, or loosens what judges the next pushes."""
    if one.loosens:
        return f"rules are loosened: {one.rule} {one.limit} -> {one.measured}"
    return f"limits.{one.rule}: at most {one.limit}, but it is {one.measured}"


def tell_nearly(commit: Commit) -> Iterator[str]:
    """What a roll-back is held to limits for."""
    yield ""
    yield f"but for what judges pushes, in {RULES_PATH}, it returns to"
    yield f"  {tell_commit(commit)}"
    yield f"with the {RULES_PATH} of that commit it is held to no limit"


def how_to_override(command: str | None) -> Iterator[str]:
    """What to type when all of a large change is meant: this command, or what a pusher can."""
    if command == "":
        return
    yield ""
    yield "if all of it is meant, override it with a reason:"
    yield f"  {command}" if command else f'  git push -o {OPTION}="reason"'
    if command is None:
        yield "or end the message of the last commit with the line"
        yield f"  {TRAILER}: reason"


def tell_override(excess: Sequence[Excess], reason: str) -> Iterator[str]:
    """That limits do not count this time, and why."""
    for one in excess[:SHOWN_EXCESS]:
        yield f"limit overridden: {limit_text(one)}"
    yield from _other_limits(excess)
    yield f"  reason: {told_reason(reason)}"


def tell_unapproved(touched: Sequence[AffectedOwner]) -> Iterator[str]:
    """Whose word is missing, where that is a warning."""
    names = ", ".join(escape(quote(one.owner)) for one in touched[:SHOWN_OWNERS])
    more = f" and {count(len(touched) - SHOWN_OWNERS, 'owner')} more" * (len(touched) > SHOWN_OWNERS)
    yield f"warning: not approved by {names}{more} [owner-approval]"


def refuse_unapproved(name: str, touched: Sequence[AffectedOwner], *, is_command: bool = False) -> Iterator[str]:
    """The verdict on what its owners have not approved, and how they can: in a push, or to a command."""
    yield f"{name} is rejected: approval required from {count(len(touched), 'owner')}"
    for one in touched[:SHOWN_OWNERS]:
        yield f"  {touched_text(one)}"
    if len(touched) > SHOWN_OWNERS:
        yield f"  … and {count(len(touched) - SHOWN_OWNERS, 'owner')} more"
    from ..plan.approvals import APPROVAL  # few pushes need a word of an owner

    yield ""
    message = "its --message, after an empty line," if is_command else "the message of the last commit"
    yield f"when they agree, end {message} with"
    yield f"  {APPROVAL}: {escape(quote(touched[0].owner))}"
    yield f"a line for each; or let them {'do' if is_command else 'push'} it"


def refuse_rewind(name: str) -> Iterator[str]:
    """The verdict on what would drop history."""
    yield f"{name} is rejected: the push would drop commits that {name} has"
    yield "  hint: to undo a change, git revert it; to keep both, git pull --rebase"
    yield "  hint: who keeps the repository can allow it"


def tell_dropped(name: str, dropped: Dropped) -> Iterator[str]:
    """How many commits a push drops, and the newest of them."""
    yield f"warning: {name} drops {count(dropped.number, 'commit')} of its history:"
    for commit in dropped.newest:
        yield f"  {tell_commit(commit)}"
    if dropped.number > len(dropped.newest):
        yield f"  … and {dropped.number - len(dropped.newest):,} more"


def tell_older(older: OlderCommits) -> Iterator[str]:
    """How many of the commits below a new branch's tip could not be served, or were not looked at."""
    if older.left:
        yield f"out of time: {count(older.left, 'commit')} before it {_is(older.left)} not looked at"
    if older.invalid:
        number = f"{'last ' * older.is_cut}{count(older.looked_at, 'commit')}"
        yield f"warning: {older.invalid:,} of the {number} before it {_has(older.invalid)} errors"
        yield "a commit with errors cannot be served"


def tell_problems(refused: Sequence[InvalidCommit]) -> Iterator[str]:
    """The problems by commit; one that stands unchanged in the next commit is not told again."""
    blocks = (
        f"\ncommit {tell_commit(one.commit)}\n{problem}" if number == 0 else str(problem)
        for one in refused
        for number, problem in enumerate(one.errors)
    )
    return shown(blocks, joined(one.errors for one in refused))


def shown(blocks: Iterable[str], found: Problems) -> Iterator[str]:
    """The first problems, and how many more there are, by their codes."""
    first = found.first(SHOWN_PROBLEMS)
    yield from islice(blocks, len(first))
    if found.total > len(first):
        more = " or more" * found.is_cut
        yield f"… and {found.total - len(first):,}{more} more: location-policy check"
        yield from (f"  {number:,} {code}" for code, number in found.by_code().items())


def how_to_mend(move: Move) -> Iterator[str]:
    """What to type where commits are not valid."""
    yield ""
    yield "to fix it: correct the files, then"
    if move.invalid[0].commit.id == move.gained[-1]:
        yield "  git commit --all --amend --no-edit"
    else:
        yield "squash the correction into the commit that needs it:"
        yield f"  git rebase --interactive {_below(move)}"
    yield "and push again"


def refuse_unsigned(name: str, found: SignatureCheck, move: Move) -> Iterator[str]:
    """The verdict on what is not signed by who may sign, and what to type so that it is."""
    if found.problem is not None:
        yield f"{name} is rejected: signatures cannot be checked"
        yield escape(found.problem)
        if found.hint:
            yield f"  hint: {escape(found.hint)}"
        return
    yield f"{name} is rejected: {count(found.number, 'commit')} not signed by an allowed signer"
    yield ""
    for one in found.unsigned:
        yield f"commit {tell_commit(one.commit)}"
        yield f"  {why(one.signature)}"
        if one.signature.key:
            yield f"  {escape(one.signature.key)}"
    if found.number > len(found.unsigned):
        yield f"… and {found.number - len(found.unsigned):,} more"
    yield ""
    yield from _how_to_sign(found, move)


def _how_to_sign(found: SignatureCheck, move: Move) -> Iterator[str]:
    yield "to fix it: sign with a key that is listed"
    if found.takes_ssh:
        yield "  git config gpg.format ssh"
        yield "  git config user.signingKey ~/.ssh/id_ed25519.pub"
    else:
        yield "  git config gpg.format openpgp"
        yield "  git config user.signingKey you@example.com"
    if found.unsigned[0].commit.id == move.gained[-1]:
        yield "  git commit -S --amend --no-edit"
    else:
        yield f"  git rebase --force-rebase --rebase-merges -S {_below(move)}"
    yield "and push again; who keeps the list can add a key to it"


def tell_signers(found: SignatureCheck) -> Iterator[str]:
    """Who has signed, and with which keys."""
    for signer in found.signers[:SHOWN_SIGNERS]:
        yield f"signed by {escape(signer.name)}"
        yield f"  {escape(signer.key)}"
    if len(found.signers) > SHOWN_SIGNERS:
        yield f"… and {len(found.signers) - SHOWN_SIGNERS:,} more"


def _below(move: Move) -> str:
    """The commit below the first that a branch gains, as git rebase takes it."""
    if move.update.creates:
        return "--root"
    return f"{move.gained[0][:10]}~" if move.dropped else move.update.old[:10]


def tell_commit(commit: Commit) -> str:
    """A commit in a few words."""
    return f"{commit.id[:10]} {_short(commit.subject, _SUBJECT)} ({_short(commit.author, _AUTHOR)})"


def _short(text: str, limit: int) -> str:
    safe = escape(text[: limit + 1])
    return safe if len(safe) <= limit else f"{safe[: limit - 1]}…"


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
