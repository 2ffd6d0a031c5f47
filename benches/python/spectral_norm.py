"""The spectral norm of the matrix 1/((i+j)(i+j+1)/2+i+1) by the power method: calls with float arithmetic in generator expressions."""

N = 320
QUICK = 10


def entry(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(vector):
    return [sum(entry(i, j) * x for j, x in enumerate(vector)) for i in range(len(vector))]


def transposed_times(vector):
    return [sum(entry(j, i) * x for j, x in enumerate(vector)) for i in range(len(vector))]


def run(n):
    u = [1.0] * n
    v = u
    for _ in range(10):
        v = transposed_times(times(u))
        u = transposed_times(times(v))
    product = square = 0.0
    for x, y in zip(u, v):
        product += x * y
        square += y * y
    return "%.9f" % (product / square) ** 0.5
