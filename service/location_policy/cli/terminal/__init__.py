"""What commands share: exit statuses, progress, default paths."""
