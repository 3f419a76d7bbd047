"""The files of a commit: made into a valid map, or into every problem; pure."""
