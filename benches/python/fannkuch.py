"""Counts how often a permutation's front can be flipped until it begins with the first card: list slices and small ints."""

N = 9
QUICK = 6


def flips(cards):
    cards = cards[:]
    count = 0
    first = cards[0]
    while first:
        cards[: first + 1] = cards[first::-1]
        count += 1
        first = cards[0]
    return count


def run(n):
    cards = list(range(n))
    counts = [0] * n
    checksum = 0
    most = 0
    even = True
    while True:
        if cards[0]:
            found = flips(cards)
            most = max(most, found)
            checksum += found if even else -found
        even = not even
        # The next permutation: rotate longer and longer prefixes.
        for size in range(1, n):
            first = cards[0]
            cards[:size] = cards[1 : size + 1]
            cards[size] = first
            counts[size] += 1
            if counts[size] <= size:
                break
            counts[size] = 0
        else:
            return "%d %d" % (checksum, most)
