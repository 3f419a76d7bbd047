"""The commands of `location-policy`, one module each; `prereceive` is the one that the hook runs."""
