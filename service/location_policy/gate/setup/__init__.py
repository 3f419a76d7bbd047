"""What `init` puts into a repository: hook, settings, and who may sign."""
