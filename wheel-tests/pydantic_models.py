# wheels: pydantic==2.14.3
"""pydantic: models whose validators and serialisers are Rust (pydantic-core, PyO3)."""
import datetime
import decimal
import enum
import uuid
from typing import Annotated, Generic, Literal, Optional, TypeVar, Union

from pydantic import (
    BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, computed_field, field_serializer, field_validator,
    model_validator,
)


class Kind(enum.Enum):
    A = "a"
    B = "b"


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Annotated[str, Field(min_length=2, pattern=r"^\w+$")]
    price: decimal.Decimal = decimal.Decimal("1.50")
    tags: list[str] = Field(default_factory=list)
    kind: Kind = Kind.A


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: Optional["Page[T]"] = None


class Order(BaseModel):
    id: int
    when: datetime.datetime
    day: datetime.date
    lasts: datetime.timedelta = datetime.timedelta(hours=1)
    lines: dict[str, Item]
    key: uuid.UUID
    state: Literal["new", "done"] = "new"
    value: Union[int, str, None] = None

    @field_validator("id")
    @classmethod
    def positive(cls, value):
        if value <= 0:
            raise ValueError("must be positive")
        return value

    @model_validator(mode="after")
    def check(self):
        if self.state == "done" and not self.lines:
            raise ValueError("nothing to do")
        return self

    @field_serializer("lasts")
    def seconds(self, value):
        return value.total_seconds()

    @computed_field
    @property
    def total(self) -> decimal.Decimal:
        return sum((item.price for item in self.lines.values()), decimal.Decimal(0))


order = Order.model_validate({
    "id": "7", "when": "2024-02-29T12:30:45.5+02:00", "day": "2024-03-01", "lasts": "PT90M",
    "lines": {"x": {"name": "pen", "price": "2.25", "tags": ["t"], "kind": "b"}, "y": {"name": "ink"}},
    "key": "12345678-1234-5678-1234-567812345678", "value": "v",
})
print(repr(order))
print(order.model_dump())
print(order.model_dump_json(indent=1))
print(Order.model_validate_json(order.model_dump_json(exclude={"total", "lasts"})) == order.model_copy(update={}))
for bad in [
    {"id": 0, "when": "x", "day": 3.5, "lines": [], "key": 1},
    {"id": 1, "when": 0, "day": "2024-01-01", "lines": {"x": {"name": "!", "more": 1}}, "key": uuid.UUID(int=1), "state": "old"},
    {"id": 1, "when": 0, "day": "2024-01-01", "lines": {}, "key": uuid.UUID(int=1), "state": "done"},
]:
    try:
        Order.model_validate(bad)
    except ValidationError as error:
        print(error.error_count(), [(item["type"], item["loc"], item["msg"]) for item in error.errors(include_url=False)])
try:
    order.lines["x"].name = "other"
except ValidationError as error:
    print(error.errors()[0]["type"])
page = Page[int](items=["1", 2], next={"items": [3]})
print(page, type(page).__name__, page.next.items)
adapter = TypeAdapter(dict[str, tuple[int, ...]])
print(adapter.validate_python({"a": ["1", 2]}), adapter.dump_json({"a": (1, 2)}), adapter.validate_json('{"b": []}'))
print(sorted(Order.model_json_schema()["properties"]), Order.model_json_schema()["$defs"]["Kind"]["enum"])
print(TypeAdapter(datetime.time).validate_python("10:20:30.25"), TypeAdapter(datetime.timedelta).validate_python(90.5))
print(TypeAdapter(datetime.datetime).validate_python(1_700_000_000), TypeAdapter(list[Item]).validate_python([{"name": "ab"}]))
