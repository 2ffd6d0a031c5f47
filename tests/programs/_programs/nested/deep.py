"""The deepest module."""
number = 8
_private = 1
public = 2
