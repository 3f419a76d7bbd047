"""What every request meets first: the guard, the policy API, git over HTTP, bodies and faults."""
