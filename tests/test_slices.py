"""What is handed on in slices is whole, and nobody waits for all of it."""

from __future__ import annotations

import io
import pickle

from hypothesis import given
from hypothesis import strategies as st

from location_policy.slices import SLICE, SlicedWriter, slices

CONTENTS = st.builds(
    lambda seed, size: (seed * (size // len(seed) + 1))[:size],
    st.binary(min_size=1, max_size=50),
    st.sampled_from([0, 1, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE + 7]),
)


@given(CONTENTS)
def test_slices_are_the_content_and_none_is_long(content: bytes) -> None:
    pieces = [bytes(piece) for piece in slices(content)]
    assert b"".join(pieces) == content
    assert all(0 < len(piece) <= SLICE for piece in pieces)


@given(CONTENTS)
def test_what_is_written_in_slices_is_what_is_written_at_once(content: bytes) -> None:
    file = io.BytesIO()
    pickle.dump((content, "and more"), SlicedWriter(file), pickle.HIGHEST_PROTOCOL)
    assert pickle.loads(file.getvalue()) == (content, "and more")
