"""The decision log: a line for each answer, written by a thread."""

from __future__ import annotations

from typing import Self

from ...calls.decision_line import make_line
from ...calls.situation import UNLOGGED
from ...lookup.answers import Answer
from ...lookup.decision import Question
from ...runtime.line_writer import LineWriter


class DecisionLog:
    """Writes the line of each answer to the file at `path`, which `-` makes standard output; see LineWriter."""

    def __init__(self, path: str, *, with_names: bool = False) -> None:
        self._writer = LineWriter(path, "decision log")
        self._with_names = with_names
        self.reopen = self._writer.reopen
        self.close = self._writer.close

    def start(self) -> Self:
        """Begin to write."""
        self._writer.start()
        return self

    @property
    def dropped(self) -> int:
        """How many lines were never written."""
        return self._writer.dropped

    def record(self, question: Question, answer: Answer, commit: str | None, took: int) -> None:
        """Log an answer; those to other request types than the location's, and to strangers, are passed over."""
        if answer.outcome not in UNLOGGED:
            self._writer.put(make_line(question, answer, commit, took, with_names=self._with_names))
