"""copy.deepcopy and copy.copy of nested containers, dataclasses and objects that refer to each other."""

import copy
from dataclasses import dataclass, field

N = 1000
QUICK = 2


@dataclass
class Leaf:
    numbers: list
    label: str


@dataclass
class Branch:
    leaves: list = field(default_factory=list)
    by_name: dict = field(default_factory=dict)
    parent: object = None


class Custom:
    def __init__(self, value):
        self.value = value
        self.copies = 0

    def __deepcopy__(self, memo):
        twin = Custom(copy.deepcopy(self.value, memo))
        twin.copies = self.copies + 1
        return twin


def build():
    root = Branch()
    for number in range(40):
        leaf = Leaf(list(range(number, number + 5)), "leaf%d" % number)
        child = Branch([leaf, leaf], {leaf.label: leaf}, root)
        root.leaves.append(child)
        root.by_name[leaf.label] = child
    root.by_name["custom"] = Custom([(1, 2), {3: 4}])
    return root


def run(n):
    root = build()
    checksum = 0
    for _ in range(n):
        twin = copy.deepcopy(root)
        child = twin.leaves[3]
        assert child.parent is twin and child.leaves[0] is child.leaves[1] is child.by_name["leaf3"]
        child.leaves[0].numbers.append(1)
        shallow = copy.copy(twin)
        assert shallow.leaves is twin.leaves
        checksum += sum(child.leaves[0].numbers) + twin.by_name["custom"].copies
    assert len(root.leaves[3].leaves[0].numbers) == 5
    return str(checksum)
