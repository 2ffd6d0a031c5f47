# compare: stderr
"""A module that does not parse, imported: the traceback shows the line and the place."""
import _programs.broken
