"""What programs that watch the service ask: probes, status, metrics and the decision log."""
