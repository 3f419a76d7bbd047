"""`location-policy import`: rows from what other programs write, once or again and again."""
