"""Tables of other programs, made into rows."""
