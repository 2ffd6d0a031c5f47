# Pickles, with classes that do nothing but hold data: what loads can be shown, pickled and loaded again.
import collections
import datetime
import io
import pickle

HARMLESS = {
    ('builtins', name): value
    for name, value in vars(__builtins__ if not isinstance(__builtins__, dict) else type('B', (), __builtins__)).items()
    if name in {'int', 'float', 'complex', 'str', 'bytes', 'bytearray', 'list', 'tuple', 'dict', 'set', 'frozenset', 'slice', 'object',
                'bool', 'Exception', 'ValueError', 'ExceptionGroup', 'reversed', 'iter', 'enumerate', 'type', 'property'}
}
HARMLESS |= {
    ('collections', 'OrderedDict'): collections.OrderedDict,
    ('collections', 'deque'): collections.deque,
    ('collections', 'defaultdict'): collections.defaultdict,
    ('datetime', 'date'): datetime.date,
    ('datetime', 'datetime'): datetime.datetime,
    ('datetime', 'timedelta'): datetime.timedelta,
    ('datetime', 'timezone'): datetime.timezone,
    ('copyreg', '_reconstructor'): __import__('copyreg')._reconstructor,
    ('copyreg', '__newobj__'): __import__('copyreg').__newobj__,
}


class Plain:
    pass


class Slotted:
    __slots__ = ('a', 'b')


class List(list):
    pass


HARMLESS |= {('fuzz', cls.__name__): cls for cls in (Plain, Slotted, List)}


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        try:
            return HARMLESS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f'{module}.{name} is not offered') from None

    def persistent_load(self, pid):
        return ('persistent', pid)


def one(data):
    choice, data = data[:1], data[1:]
    choice = choice[0] if choice else 0
    buffers = [bytearray(b'buffer'), b'other'] if choice & 2 else None
    try:
        loader = Unpickler(io.BytesIO(data), encoding=('ASCII', 'bytes', 'latin1')[choice % 3], buffers=buffers)
        value = loader.load()
        if choice & 4:
            loader.load()
    except SystemError:
        raise
    except Exception:
        return
    for use in (repr, hash, lambda value: value == value, lambda value: pickle.loads(pickle.dumps(value, choice % 6))):
        try:
            use(value)
        except SystemError:
            raise
        except Exception:
            pass
