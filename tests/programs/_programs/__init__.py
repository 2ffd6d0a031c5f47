"""A package that tells when it is imported."""
print("importing", __name__, __package__, __spec__.name)
constant = 42
__all__ = ["constant", "helper"]


def __getattr__(name):
    if name == "lazy":
        return "made on demand"
    raise AttributeError(f"no {name} here")


def __dir__():
    return ["constant", "lazy"]
