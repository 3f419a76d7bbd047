"""Who is notified of a change, once: changes are found, kept in a queue and delivered."""
