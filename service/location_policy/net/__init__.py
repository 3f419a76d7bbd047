"""Addresses, ranges and the longest prefix; pure."""
