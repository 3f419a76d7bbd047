"""Child processes, files, logs and the service manager; knows no map."""
