"""What the service is measured beside, and how."""
