"""Indexed loops as they are written for C: a sieve in a bytearray, a matrix product, an edit distance, and a shell sort."""

N = 9
QUICK = 1


def primes(limit):
    sieve = bytearray([1]) * (limit + 1)
    sieve[0] = sieve[1] = 0
    number = 2
    while number * number <= limit:
        if sieve[number]:
            for multiple in range(number * number, limit + 1, number):
                sieve[multiple] = 0
        number += 1
    return sum(sieve)


def product(a, b):
    size = len(a)
    result = [[0] * size for _ in range(size)]
    for i in range(size):
        for j in range(size):
            total = 0
            for k in range(size):
                total += a[i][k] * b[k][j]
            result[i][j] = total
    return result


def distance(left, right):
    previous = list(range(len(right) + 1))
    for i in range(1, len(left) + 1):
        current = [i] * (len(right) + 1)
        for j in range(1, len(right) + 1):
            change = previous[j - 1] + (left[i - 1] != right[j - 1])
            current[j] = min(previous[j] + 1, current[j - 1] + 1, change)
        previous = current
    return previous[-1]


def shell_sort(values):
    gap = len(values) // 2
    while gap:
        for idx in range(gap, len(values)):
            value = values[idx]
            place = idx
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap //= 2


def run(n):
    checksum = 0
    for turn in range(n):
        checksum += primes(250000)
        matrix = [[(i * j + turn) % 17 for j in range(70)] for i in range(70)]
        checksum += sum(map(sum, product(matrix, matrix)))
        left = "".join(chr(97 + i * i % 23) for i in range(230))
        right = "".join(chr(97 + i * 5 % 21) for i in range(210))
        checksum += distance(left, right)
        values = [(i * 7919 + turn) % 10007 for i in range(9000)]
        shell_sort(values)
        checksum += values[100] + values[-1]
        state = 12345
        for _ in range(60000):
            state ^= (state << 13) & 0xFFFFFFFF
            state ^= state >> 17
            state ^= (state << 5) & 0xFFFFFFFF
        checksum += state
    return str(checksum)
