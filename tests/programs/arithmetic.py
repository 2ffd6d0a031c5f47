"""int, float, complex and bool: arithmetic, big integers, division rules, shifts, conversions, methods, comparison."""
import math

print(7 // 2, -7 // 2, 7 // -2, 7 % 3, -7 % 3, 7 % -3, divmod(-7, 2), 7 / 2, 2**10, 2**-1, (-2) ** 3, 0**0, -(2**2), 10 // 3 * 3 + 10 % 3)
print(2**100, 3**200 % 1000007, pow(3, 200, 1000007), pow(3, -1, 7), -(2**64) // 3, (2**64 - 1) * (2**64 + 1), 10**30 // 10**10, -(10**30) % 7)
print(1 << 70, -1 << 3, -5 >> 1, 5 >> 100, -5 >> 100, (1 << 70) >> 68, 6 & 3, 6 | 3, 6 ^ 3, ~6, -6 & 255, (2**70 - 1) & (2**65), -(2**70) | 1, (-(2**70)) ^ (2**69))
print(int(3.99), int(-3.99), int("123"), int("ff", 16), int("z", 36), int(1e20), int(True), round(2.5), round(3.5), round(-2.5), round(2.675, 2), round(1234, -2), round(1.5e300) > 0)
print((255).bit_length(), (255).bit_count(), (1024).to_bytes(4, "big"), (-2).to_bytes(2, "little", signed=True), int.from_bytes(b"\x01\x02", "big"), int.from_bytes(b"\xff", signed=True), (10).as_integer_ratio(), (5).conjugate(), (3).numerator)
print(0.1 + 0.2, 1e308 * 10, -1e308 * 10, 1 / 3, 1e-320, 0.1 * 3, 1e22, 1e21, 123456789012345678.0, 7.0 // 2, -7.5 // 2, 7.5 % -2, divmod(7.5, 2), 2.0**0.5, (-8) ** (1 / 3))
print(float("inf") > 10**400, float("nan") == float("nan"), 1.0 == 1, 2**53 == float(2**53), 2**53 + 1 == float(2**53), 0.5.hex(), float.fromhex("0x1.8p1"), (0.75).as_integer_ratio(), 3.0.is_integer(), -0.0 == 0.0, str(-0.0))
print(hash(1) == hash(1.0) == hash(True), hash(2**61 - 1), hash(-1), hash(0.5), hash(float("inf")), hash(2**100) == hash(float(2**100)), hash(1 + 0j) == 1)
print(True + True, True & False, True ^ 1, not 0, bool([]), bool("0"), isinstance(True, int), sum([True] * 3), True == 1.0, f"{True:d}", bool(float("nan")), True | 2)
z = 3 + 4j
print(z, abs(z), z.conjugate(), z * z, z / (1 - 2j), z**2, z.real, z.imag, z == complex(3, 4), -z, z + 1, 1j**2, complex("1e3-2j"), complex(1, -0.0), 1j * 1j, repr(0j), repr(-1j))
print(10 < 20 < 30, 1 < 3 > 2, 1 == 1.0 == True, 3 > 2 > 2, 10**20 > 1e19, 10**20 < 1e21, -(10**20) < 0, 2**1000 > 1e300)
print(math.gcd(12, 18, 27), math.lcm(4, 6), math.isqrt(10**20), math.factorial(30), math.comb(50, 25), math.perm(10, 3), math.floor(-2.5), math.ceil(2.1), math.trunc(-2.9), math.hypot(3, 4, 12), math.fsum([0.1] * 10), math.prod([1, 2, 3, 4]), math.dist((0, 0), (1, 1)), math.log2(2**100), math.log(10**400), math.copysign(1, -0.0), math.frexp(10.0), math.ldexp(0.5, 3), math.modf(-2.5), math.nextafter(1, 2), math.ulp(1.0), math.remainder(7, 4), math.fmod(-7, 3), math.isclose(0.1 + 0.2, 0.3), math.inf, math.nan, math.tau)
factorial = 1
for i in range(1, 400):
    factorial *= i
print(factorial % (10**9 + 7), len(str(factorial)), factorial // 10**800, sum(map(int, str(factorial))), factorial.bit_length())
a, b = 3**500, 7**300
print((a * b) // b == a, a * b % a, divmod(a, b)[1] == a - (a // b) * b, (a + b) - b == a, (a << 100) >> 100 == a, -a // b == -((a + b - 1) // b), a.bit_length(), float(a), a / b, hash(a) == hash(int(str(a))), int(hex(a), 16) == a)
for n in (0, 1, -1, 255, 2**30, 2**30 - 1, -(2**30), 2**31, 2**60, 2**63, -(2**63), 2**64, 10**18):
    print(n, n * n, n + 1, n - 1, -n, ~n, n >> 3, n << 3, n // 7, n % 7, n & 0xFF, hex(n), float(n), abs(n), bool(n), n == int(str(n)))
for attempt in (lambda: 1 // 0, lambda: 1.0 / 0, lambda: 1 % 0, lambda: 0**-1, lambda: 1 << -1, lambda: int("12x"), lambda: int("1" * 5000), lambda: int(float("nan")), lambda: int(float("inf")), lambda: pow(2, -1, 4), lambda: math.sqrt(-1), lambda: math.log(0), lambda: 10.0**400, lambda: (-1) ** 0.5, lambda: float(10**400), lambda: 1j // 1, lambda: 1j < 2j, lambda: "1" + 1, lambda: (1).to_bytes(0, "big"), lambda: (256).to_bytes(1, "big"), lambda: int("a", 40), lambda: round(1.5, "x"), lambda: math.factorial(-1), lambda: 1 & 1.0, lambda: complex("x"), lambda: float(""), lambda: divmod(1, 0.0), lambda: 5 % 0.0):
    try:
        print(attempt())
    except Exception as err:
        print(type(err).__name__, err)


class Int(int):
    def __add__(self, other):
        return Int(int(self) + int(other) + 1000)


print(Int(5) + 1, 1 + Int(5), Int(5) * 2, type(Int(5) * 2).__name__, Int("7", base=8), type(-Int(1)).__name__, Int(3) == 3, {Int(3): "x"}[3])
total = 0
for i in range(100000):
    total = (total * 31 + i) ^ (i << 7)
    total &= 0xFFFFFFFFFFFF
print(total, 0b1010, 0o17, 0xFF, 1_000_000, 1e3, 1_0.5_0, .5, 5., 0xDEAD_BEEF)
