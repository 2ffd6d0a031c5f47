"""Text made and taken apart: joins, f-strings, replaces, splits, translations, case, slices, and growth by +=."""

N = 56
QUICK = 1

WORDS = "the quick brown fox jumps over the lazy dog while zwölf Boxkämpfer jagen Viktor über den großen Deich".split()


def caesar(text, shift):
    letters = []
    for char in text:
        if "a" <= char <= "z":
            char = chr((ord(char) - 97 + shift) % 26 + 97)
        letters.append(char)
    return "".join(letters)


def is_palindrome(text):
    kept = [char for char in text.lower() if char.isalnum()]
    return kept == kept[::-1]


def run(n):
    checksum = 0
    table = str.maketrans("aeiou", "AEIOU", "xyz")
    for turn in range(n):
        lines = []
        for number in range(1200):
            word = WORDS[(number * 7 + turn) % len(WORDS)]
            lines.append(f"{number:05d} {word:>12}|{number / 7:8.3f}|{word!r:<14}|{number:#x}")
        text = "\n".join(lines)
        grown = ""
        for line in text.splitlines():
            left, middle, *rest = line.split("|")
            grown += left.strip().title() + middle.strip() + ";"
        swapped = text.translate(table).replace("quick", "slow").swapcase()
        counts = {}
        for char in swapped:
            counts[char] = counts.get(char, 0) + 1
        checksum += len(grown) + sum(ord(char) * count for char, count in counts.items())
        secret = caesar(text[:20000], 13)
        assert caesar(secret, 13) == text[:20000]
        checksum += secret.count("gur") + text.find("Viktor") + text.rfind("dog")
        checksum += sum(is_palindrome(word + word[::-1]) for word in WORDS)
        checksum += len(text.encode("utf-8")) + len("%s-%d" % (text[:50], turn))
        checksum += sum(1 for word in text.split() if word.isdigit() or word.startswith("Box"))
    return str(checksum)
