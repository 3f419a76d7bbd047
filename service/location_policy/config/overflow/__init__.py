"""The table of overflow locations: what is said once of a location, for every row that names no other."""
