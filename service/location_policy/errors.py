"""The tree of public errors.

LocationPolicyError            everything that the program raises for its user, with a hint where there is one
├── InvalidConfiguration       the files of a configuration have errors
├── NoSuchFolder               a working copy that is not there
├── NoAddress                  a question without an address
├── RepositoryError            a repository cannot be read or written
│   ├── GitUnavailable         git is not installed, or too old
│   ├── NotARepository         a path that is none, or that may not be read
│   ├── ForeignRepository      a repository of another user, which git was not told to read
│   ├── UnknownRevision        a branch or a commit that is not there
│   ├── NotWritable            a repository in which the program makes no commit
│   ├── NotRevertible          a commit that cannot be taken back, or gone back to
│   ├── NotPinnable            a commit that cannot be held in force by hand
│   ├── UnusablePin            what stands where the pin is kept is none
│   │   └── TornPin            it was one, and what it says is lost
│   ├── BranchMoved            another commit came first
│   ├── NotPushed              a remote has not taken a branch, or cannot be asked to
│   ├── NothingChanges         what is wanted is so already
│   └── RowChanged             the row that an editor wants to change has changed since they saw it
├── NotSigned                  a commit is not signed as its repository requires, or that cannot be judged
├── AnotherHistory             HEAD is not of the history that was served last, and is not accepted
├── NotConfirmed               what was taken back would come back, and that it is meant was not said
├── RevertConflict             later commits have changed the same lines
├── BuildFailed                the process that builds a large map has died, or hangs
├── TooCostly                  judging a push takes longer, or more memory, than a push may
├── NotJudged                  the process that judges a change of a large map has died, or it takes too long
├── ForeignHook                another program's hook stands where ours should be
├── UnusableUpload             a file that an editor uploads cannot be taken as it is
│   └── ForeignUpload          it is the table of another program
├── UnusableTable              a file of another program is no table, or cannot be read as one
├── UnusableFile               a file of users or roles has lines that cannot be used
├── UnusableCalls              a file of calls cannot be read as one
├── NoAnswer                   another server cannot be asked, or answers otherwise than it should
└── CannotStart                the service cannot be started as it was asked to
"""

from __future__ import annotations

from collections.abc import Sequence

from .problems import Problem, Problems, errors_in
from .text import count, without_secrets


class LocationPolicyError(Exception):
    """What went wrong, in one line for its user, and what to do about it; no URL in it has a password."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = without_secrets(message)
        self.hint = hint and without_secrets(hint)
        super().__init__(self.message)

    def __reduce__(self) -> tuple[object, ...]:
        """As it is, not from the arguments that made it: it may be raised in another process."""
        return _unpickled, (type(self), self.message), self.__dict__


def _unpickled(kind: type[LocationPolicyError], message: str) -> LocationPolicyError:
    error: LocationPolicyError = kind.__new__(kind)
    error.args = (message,)
    return error


class InvalidConfiguration(LocationPolicyError):
    """A configuration that must not be served; `problems` has what is wrong with it, warnings too."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(f"the configuration has {errors_in(problems).counted('error')}")
        self.problems = problems


class NoSuchFolder(LocationPolicyError):
    """A working copy that is not there, or may not be read."""


class NoAddress(LocationPolicyError):
    """A question without an address."""


class RepositoryError(LocationPolicyError):
    """A repository cannot be read or written; `is_disk_full`: not written, since there is no room."""

    is_disk_full = False


class GitUnavailable(RepositoryError):
    """git is not installed, or older than what the program needs."""


class NotARepository(RepositoryError):
    """A path that is not a git repository, or that may not be read."""


class ForeignRepository(RepositoryError):
    """A repository of another user: its config is not ours, and git was not told that it is meant."""


class UnknownRevision(RepositoryError):
    """A branch or commit that is not there."""


class NotSigned(LocationPolicyError):
    """A commit is not signed as its repository requires, or that cannot be judged."""


class AnotherHistory(LocationPolicyError):
    """HEAD is not of the history that was served last, or is of another repository, and is not accepted.

    `served` is the id of the commit that was served last.
    """

    def __init__(self, message: str, hint: str, served: str) -> None:
        super().__init__(message, hint)
        self.served = served


class NotWritable(RepositoryError):
    """A repository in which the program makes no commit."""


class NotRevertible(RepositoryError):
    """A commit that cannot be taken back, or gone back to."""


class NotPinnable(RepositoryError):
    """A commit that cannot be held in force by hand."""


class UnusablePin(RepositoryError):
    """The ref of the pin names something that is none, or that lasts longer than one may."""


class TornPin(UnusablePin):
    """The ref of the pin, or the tag that it names, cannot be read: which commit is held is not known."""


class BranchMoved(RepositoryError):
    """The branch is no longer where it was seen: another commit came first, and nothing of it is lost."""


class NotPushed(RepositoryError):
    """A remote has not taken a branch, or cannot be asked to; `said` are the lines that it printed."""

    def __init__(self, message: str, hint: str | None = None, said: Sequence[str] = ()) -> None:
        super().__init__(message, hint)
        self.said = tuple(said)


class NothingChanges(RepositoryError):
    """A change of which nothing is left to do."""


class RowChanged(RepositoryError):
    """A row is not as it was seen; `path`, `line` and `text` are where it stands now and what it says, if anywhere."""

    def __init__(self, message: str, hint: str, path: str = "", line: int = 0, text: str = "") -> None:
        super().__init__(message, hint)
        self.path = path
        self.line = line
        self.text = text


class NotConfirmed(LocationPolicyError):
    """A revert of a revert, or of what is taken back already, that was not asked for as such."""


class RevertConflict(LocationPolicyError):
    """Later commits have changed the same lines; `problems` has where, and which commits.

    `before` is the id of the commit that can be restored instead; `is_again`: it is reverted itself.
    """

    def __init__(
        self, message: str, hint: str, problems: Sequence[str], before: str = "", *, is_again: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.problems = tuple(problems)
        self.before = before
        self.is_again = is_again


class BuildFailed(LocationPolicyError):
    """The process that builds a large map, or compares two, has died or takes too long: nothing is known of them."""


class TooCostly(LocationPolicyError):
    """To judge a push takes longer, or more memory, than a push may: it is refused."""


class NotJudged(LocationPolicyError):
    """The process that judges a change of a large map has died, or it takes too long: nothing was made."""


class ForeignHook(LocationPolicyError):
    """Another program's hook stands where ours should be; it is never overwritten."""


class UnusableUpload(LocationPolicyError):
    """A file that an editor uploads is no table, or has lines that cannot be rows; `problems` has the first of them.

    `unknown` are its names that are not known and could be, the commonest first.
    """

    def __init__(self, message: str, hint: str, problems: Problems | None = None, unknown: Sequence[str] = ()) -> None:
        super().__init__(message, hint)
        self.problems = (problems or Problems()).first()
        self.unknown = tuple(unknown)


class ForeignUpload(UnusableUpload):
    """A file that an editor uploads is the table of another program, of which `import` makes rows."""


class UnusableTable(LocationPolicyError):
    """A file of another program is no table, such as a workbook or a page, or cannot be read as one."""


class UnusableFile(LocationPolicyError):
    """A file that says who may do what, and cannot be used as it is; `problems` has every line."""

    def __init__(self, path: str, problems: Sequence[Problem]) -> None:
        super().__init__(f"{path} cannot be used: {count(len(problems), 'error')}")
        self.problems = tuple(problems)


class UnusableCalls(LocationPolicyError):
    """A file of calls, or a decision log, cannot be read as one."""


class NoAnswer(LocationPolicyError):
    """Another server cannot be asked, or answers otherwise than it should; never has a password or a token in it."""


class CannotStart(LocationPolicyError):
    """The service cannot be started as it was asked to."""
