"""A package within."""
from .. import constant as outer_constant
