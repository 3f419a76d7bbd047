"""What can be typed: arguments, options and their help."""
