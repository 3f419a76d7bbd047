"""Other people's servers and formats."""
