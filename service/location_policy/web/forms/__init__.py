"""Pages and API calls that change the map."""
