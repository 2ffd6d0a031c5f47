"""The other half."""
from . import circular_a

value = "b"
seen = hasattr(circular_a, "value")
