"""Calls: what nodes have asked, as the decision log has it and as the service remembers it."""
