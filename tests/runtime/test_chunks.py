"""Content handed on in chunks is whole, and no other thread waits for all of it."""

from __future__ import annotations

import io
import pickle
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.runtime.chunks import CHUNK, ChunkedReader, ChunkedWriter, chunks

CONTENTS = st.builds(
    lambda seed, size: (seed * (size // len(seed) + 1))[:size],
    st.binary(min_size=1, max_size=50),
    st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7]),
)


@given(CONTENTS)
def test_slices_are_the_content_and_none_is_long(content: bytes) -> None:
    pieces = [bytes(piece) for piece in chunks(content)]
    assert b"".join(pieces) == content
    assert all(0 < len(piece) <= CHUNK for piece in pieces)


@given(CONTENTS)
def test_what_is_written_in_slices_is_what_is_written_at_once(content: bytes) -> None:
    file = io.BytesIO()
    pickle.dump((content, "and more"), ChunkedWriter(file), pickle.HIGHEST_PROTOCOL)
    assert pickle.loads(file.getvalue()) == (content, "and more")


@given(CONTENTS, st.integers(min_value=0, max_value=5))
def test_what_is_read_in_slices_is_what_is_read_at_once(content: bytes, protocol: int) -> None:
    file = io.BytesIO(pickle.dumps((content, array("B", content), "and more"), protocol))
    assert pickle.load(ChunkedReader(file)) == (content, array("B", content), "and more")


def test_what_is_cut_off_is_not_taken_for_whole() -> None:
    text = pickle.dumps(bytes(3 * CHUNK), pickle.HIGHEST_PROTOCOL)
    with pytest.raises((EOFError, pickle.UnpicklingError)):
        pickle.load(ChunkedReader(io.BytesIO(text[:-CHUNK])))
