# wheels: wrapt==2.5.2
"""wrapt: decorators and transparent proxies whose types are C."""
import wrapt


@wrapt.decorator
def logged(wrapped, instance, args, kwargs):
    print("call", wrapped.__name__, type(instance).__name__, args, kwargs)
    return wrapped(*args, **kwargs)


class Thing:
    @logged
    def method(self, x, *, y=1):
        """What it does."""
        return x + y

    @logged
    @classmethod
    def made(cls, z):
        return cls.__name__, z


print(Thing().method(2, y=3), Thing.made(4), Thing.method.__doc__, Thing.method.__name__)
proxy = wrapt.ObjectProxy([3, 1, 2])
proxy.append(0)
print(proxy, len(proxy), proxy + [9], sorted(proxy), isinstance(proxy, list), proxy.__wrapped__ is not proxy, proxy == [3, 1, 2, 0])
counted = wrapt.FunctionWrapper(len, lambda wrapped, instance, args, kwargs: wrapped(*args) * 2)
print(counted([1, 2]), counted.__name__)
