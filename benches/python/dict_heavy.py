"""Dictionaries and sets: counting, grouping, memoising, merging, deleting; keys that are ints, strings, tuples and objects."""

N = 56
QUICK = 1


class Key:
    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return hash(self.number)

    def __eq__(self, other):
        return isinstance(other, Key) and self.number == other.number


def collatz(number, known):
    steps = []
    while number not in known:
        steps.append(number)
        number = number // 2 if number % 2 == 0 else 3 * number + 1
    length = known[number]
    for number in reversed(steps):
        length += 1
        known[number] = length
    return length


def shortest_paths(width):
    """Breadth-first over a grid with walls; the nodes are tuples."""
    walls = {(x, y) for x in range(1, width, 2) for y in range(width) if (x * 3 + y) % 7}
    distance = {(0, 0): 0}
    border = [(0, 0)]
    while border:
        following = []
        for x, y in border:
            for node in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
                if 0 <= node[0] < width and 0 <= node[1] < width and node not in walls and node not in distance:
                    distance[node] = distance[x, y] + 1
                    following.append(node)
        border = following
    return sum(distance.values())


def run(n):
    checksum = 0
    for turn in range(n):
        known = {1: 1}
        checksum += max(collatz(number, known) for number in range(1, 6000))
        groups = {}
        for number in range(8000):
            groups.setdefault("group%d" % (number * number % 97), []).append(number)
        checksum += sum(len(group) * len(name) for name, group in groups.items())
        merged = {**groups, "extra": [turn]} | {number: -number for number in range(500)}
        for number in range(0, 500, 3):
            del merged[number]
        checksum += len(merged) + sum(key for key in merged if isinstance(key, int))
        objects = {Key(number % 700): number for number in range(4000)}
        checksum += sum(objects[Key(number)] for number in range(700))
        multiples = {number * 3 for number in range(3000)} & {number * 5 for number in range(3000)}
        checksum += sum(multiples - {15, 30}) + len({1, 2} ^ {2, 3})
        checksum += shortest_paths(45)
        checksum += sum({value: key for key, value in enumerate(sorted(known.values()))}.values())
    return str(checksum)
