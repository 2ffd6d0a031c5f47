"""One half of a circular import."""
from . import circular_b

value = "a"
other = circular_b.value
