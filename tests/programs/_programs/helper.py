"""A module of the package."""
from . import constant
from .nested import deep as renamed

print("importing", __name__)
value = constant + renamed.number
