"""Digits of pi by an unbounded spigot: arithmetic on integers that grow."""

N = 3000
QUICK = 30


def digits():
    q, r, t, k, digit, odd = 1, 0, 1, 1, 3, 3
    while True:
        if 4 * q + r - t < digit * t:
            yield digit
            q, r, digit = 10 * q, 10 * (r - digit * t), 10 * (3 * q + r) // t - 10 * digit
        else:
            q, r, t, k, digit, odd = (
                q * k,
                (2 * q + r) * odd,
                t * odd,
                k + 1,
                (q * (7 * k + 2) + r * odd) // (t * odd),
                odd + 2,
            )


def run(n):
    stream = digits()
    text = "".join(str(next(stream)) for _ in range(n))
    return "%s...%s %d" % (text[:10], text[-10:], sum(map(int, text)))
