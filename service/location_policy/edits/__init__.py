"""A change made here: a row, an upload, a revert; landed through the gate."""
