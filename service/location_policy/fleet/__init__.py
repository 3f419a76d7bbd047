"""Services that follow this one: what each says of itself, and who answers from what."""
