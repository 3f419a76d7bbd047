"""The commands of `location-policy` and their help."""
