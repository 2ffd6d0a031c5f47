"""Descriptors, properties, metaclasses, class creation hooks, slots, abstract classes, attribute lookup order."""
import abc


class Typed:
    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        self.name = name
        print("named", owner.__name__, name)

    def __get__(self, instance, owner):
        if instance is None:
            return self
        return instance.__dict__.get(self.name, f"no {self.name} of {owner.__name__}")

    def __set__(self, instance, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name} must be {self.kind.__name__}")
        instance.__dict__[self.name] = value

    def __delete__(self, instance):
        print("deleting", self.name)
        instance.__dict__.pop(self.name, None)


class NonData:
    def __get__(self, instance, owner=None):
        return "from descriptor", instance is None


class Record:
    number = Typed(int)
    text = Typed(str)
    loose = NonData()


record = Record()
print(record.number, record.loose, Record.loose, type(Record.number).__name__)
record.number, record.text = 5, "five"
record.__dict__["loose"] = "instance wins"
record.__dict__["number"] = "hidden"
print(record.number, record.text, record.loose, sorted(vars(record)))
try:
    record.number = "x"
except TypeError as err:
    print(err)
del record.number
print(record.number)


class Temperature:
    def __init__(self):
        self._celsius = 20

    @property
    def celsius(self):
        """Degrees."""
        return self._celsius

    @celsius.setter
    def celsius(self, value):
        if value < -273:
            raise ValueError("too cold")
        self._celsius = value

    @celsius.deleter
    def celsius(self):
        self._celsius = 0

    fahrenheit = property(lambda self: self._celsius * 9 / 5 + 32, doc="F")


t = Temperature()
t.celsius = 100
print(t.celsius, t.fahrenheit, Temperature.celsius.__doc__, Temperature.fahrenheit.fset)
del t.celsius
print(t.celsius)
for attempt in (lambda: setattr(t, "fahrenheit", 1), lambda: setattr(t, "celsius", -300), lambda: delattr(t, "fahrenheit"), lambda: delattr(t, "missing")):
    try:
        attempt()
    except Exception as err:
        print(type(err).__name__, err)


class Meta(type):
    def __prepare__(name, bases, **kwargs):
        print("prepare", name, [b.__name__ for b in bases], kwargs)
        return {"injected": 1}

    def __new__(mcls, name, bases, namespace, **kwargs):
        print("new", name, sorted(k for k in namespace if not k.startswith("__")))
        return super().__new__(mcls, name, bases, namespace)

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace)
        print("init", name, kwargs)

    def __call__(cls, *args):
        print("call", cls.__name__, args)
        return super().__call__(*args)

    def __instancecheck__(cls, instance):
        return instance == "fits" or super().__instancecheck__(instance)

    def __iter__(cls):
        return iter(["iterated", cls.__name__])

    def __getattr__(cls, name):
        return f"meta {name}"

    def __len__(cls):
        return 3

    def __repr__(cls):
        return f"<Meta {cls.__name__}>"

    @property
    def on_class(cls):
        return "property of the class"


class WithMeta(metaclass=Meta, option=2):
    x = 1

    def method(self):
        return self.x


class Child(WithMeta):
    pass


c = Child()
print(type(Child), Child.injected, list(Child), Child.unknown, len(Child), Child.on_class, isinstance("fits", Child), isinstance(c, WithMeta), Child, c.method())
try:
    c.on_class
except AttributeError as err:
    print(str(err).split(" object at")[0])
Dynamic = Meta("Dynamic", (Child,), {"y": 2})
print(Dynamic.y, Dynamic.__mro__)


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...

    @property
    @abc.abstractmethod
    def name(self): ...

    @classmethod
    def __subclasshook__(cls, other):
        return True if hasattr(other, "quacks") else NotImplemented


class Square(Shape):
    name = "square"

    def area(self):
        return 4


class Half(Shape):
    name = "half"


class Duck:
    quacks = True


print(Square().area(), isinstance(Duck(), Shape), issubclass(int, Shape), sorted(Shape.__abstractmethods__))
for cls in (Shape, Half):
    try:
        cls()
    except TypeError as err:
        print(err)
Shape.register(list)
print(isinstance([], Shape), issubclass(list, Shape))


class Slots:
    __slots__ = ("a", "_b")


class MoreSlots(Slots):
    __slots__ = ("c",)


class WithDict(Slots):
    pass


m = MoreSlots()
m.a, m.c = 1, 3
print(m.a, m.c, hasattr(m, "__dict__"), hasattr(WithDict(), "__dict__"), hasattr(m, "_b"), type(Slots.a).__name__)
for attempt in (lambda: m._b, lambda: setattr(m, "z", 1), lambda: type("Bad", (Slots, MoreSlots), {}), lambda: type("Conflict", (), {"__slots__": ("q",), "q": 1}), lambda: type("Two", (int, str), {})):
    try:
        attempt()
    except Exception as err:
        print(type(err).__name__, str(err).split("\n")[0])


class A:
    def f(self):
        return "A"


class B(A):
    def f(self):
        return "B" + super().f()


class C(A):
    def f(self):
        return "C" + super().f()


class D(B, C):
    def f(self):
        return "D" + super().f()


print(D().f(), super(B, D()).f(), [cls.__name__ for cls in D.mro()])
D.f = lambda self: "patched"
A.g = lambda self: "added later"
print(D().f(), D().g())
C.__bases__ = (type("NewBase", (A,), {"f": lambda self: "N"}),)
print(C().f(), [cls.__name__ for cls in D.__mro__])


class Special:
    pass


special = Special()
special.__len__ = lambda: 5
try:
    len(special)
except TypeError as err:
    print(err)
Special.__len__ = lambda self: 6
print(len(special))
del Special.__len__
print(hasattr(special, "__len__"), "__len__" in dir(Special))
