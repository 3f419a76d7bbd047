"""`location-policy calls`: what nodes have asked, from decision logs or from what a service remembers."""
