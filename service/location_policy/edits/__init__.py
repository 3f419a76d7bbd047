"""A change made here: a row, an upload, a revert; committed through the gate."""
