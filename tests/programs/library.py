"""The library that most programs use: json, re, struct, datetime, random, hashlib, pickle, copy, csv, zlib, decimal and more."""
import array, base64, binascii, bisect, collections.abc, copy, csv, datetime, decimal, fractions, hashlib, heapq, io, json, pickle, pprint, random, re, shlex, statistics, string, struct, textwrap, urllib.parse, uuid, zlib, difflib, calendar, configparser, argparse, logging, unicodedata, html, types, graphlib

data = {"b": [1, 2.5, None, True, "é\n\"\\"], "a": {"nested": [[], {}]}, "big": 10**20, "inf": float("inf")}
print(json.dumps(data), json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False), json.loads('{"a": [1, 2.0, "\\u00e9\\ud83d\\ude00", null, -1e5]}'), json.dumps((1, 2), separators=(",", ":")))
for bad in ("{", "[1,]", "nul", '{"a" 1}', '"\t"', "", "1 2"):
    try:
        json.loads(bad)
    except json.JSONDecodeError as err:
        print(err)
m = re.search(r"(?P<user>\w+)@(?P<host>[\w.]+)", "mail bob@example.org now")
print(m.groups(), m.groupdict(), m.span("host"), m[0], m, re.findall(r"(\d)(\w)", "1a 2b"), re.split(r"([,;])\s*", "a, b;c"), re.sub(r"(\w)(\w)", r"\2\g<1>", "abcd"), re.sub("x", lambda m: m[0].upper(), "axbx", count=1))
print(re.fullmatch(r"(?i)(a|b)*?c", "ABC"), re.match(r"(?<=x)y", "xy"), re.compile(r"^(\w+)$", re.M).findall("a\nbc\n"), re.escape("a.b*"), re.findall(r"(?:(?=(a+))a)", "aaa"), re.search(r"(a)?(?(1)b|c)", "c"), re.findall(r"\b\w{2,3}?\b", "a ab abc abcd"), re.sub(r"(?x) \s+ # spaces", "_", "a  b"), re.findall(r"[^\W\d_]+", "é1漢_x"))
try:
    re.compile("(a")
except re.error as err:
    print(err, err.pos)
print(struct.pack("<hIq?d4s", -1, 2, 3, True, 1.5, b"ab"), struct.unpack(">HBx2s", b"\1\2\3\0xy"), struct.calcsize("@iqb"), list(struct.iter_unpack("<H", b"\1\0\2\0")))
d = datetime.datetime(2024, 2, 29, 13, 5, 9, 123456, tzinfo=datetime.timezone.utc)
print(d, d.isoformat(), d + datetime.timedelta(days=366, hours=1.5), d.strftime("%a %d %b %Y %H:%M:%S.%f %j %z"), datetime.datetime.strptime("2026-01-02 03:04", "%Y-%m-%d %H:%M"), datetime.date(2026, 11, 20).weekday(), datetime.date.fromisoformat("2026-12-31").isocalendar(), d.astimezone(datetime.timezone(datetime.timedelta(hours=-5))), repr(d - datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)))
random.seed(42)
print(random.random(), random.randint(1, 100), random.choice("abc"), random.sample(range(100), 4), random.gauss(0, 1), random.shuffle(x := list(range(8))), x, random.getrandbits(70), random.Random("text").random(), random.choices([1, 2], [1, 9], k=4))
print(hashlib.md5(b"x").hexdigest(), hashlib.sha256(b"x").hexdigest()[:16], hashlib.sha512(b"").hexdigest()[:16], hashlib.blake2b(b"x", digest_size=8).hexdigest(), hashlib.sha3_256(b"x").hexdigest()[:16], zlib.crc32(b"abc"), zlib.adler32(b"abc"), zlib.decompress(zlib.compress(b"x" * 1000)) == b"x" * 1000, binascii.hexlify(b"ab"), base64.b64encode(b"abc\xff"), base64.b32encode(b"ab"), base64.urlsafe_b64decode("_-8="))
nested = {"list": [1, (2, {3})], "self": None}
nested["self"] = nested
twin = copy.deepcopy(nested)
print(twin["self"] is twin, twin["list"] is not nested["list"], copy.copy(nested)["list"] is nested["list"], pickle.loads(pickle.dumps(nested))["list"], [len(pickle.dumps([1, "a", 2.5, None, b"x", {1: 2}], p)) for p in range(6)])
print(list(csv.reader(io.StringIO('a,"b ""q"" c",\n1,"x\ny",3'))), list(csv.DictReader(io.StringIO("k,v\n1,2"))))
out = io.StringIO()
csv.writer(out, quoting=csv.QUOTE_NONNUMERIC).writerows([[1, "a,b", None], ['q"', 2.5, ""]])
print(repr(out.getvalue()))
decimal.getcontext().prec = 30
print(decimal.Decimal(1) / 7, decimal.Decimal("1.10") + decimal.Decimal("2.205"), decimal.Decimal("2").sqrt(), round(decimal.Decimal("2.675"), 2), decimal.Decimal("1e3").normalize(), decimal.Decimal("NaN"), decimal.Decimal(0.1))
print(fractions.Fraction(3, 12) + fractions.Fraction("0.5"), fractions.Fraction(0.1).limit_denominator(10), statistics.mean([1, 2, 4]), statistics.median([3, 1, 2]), statistics.stdev([1, 2, 3, 4]), statistics.mode("aab"))
heap = [5, 1, 4]
heapq.heapify(heap)
heapq.heappush(heap, 0)
print([heapq.heappop(heap) for _ in range(4)], heapq.nlargest(2, [1, 9, 5]), list(heapq.merge([1, 3], [2])), bisect.bisect([1, 2, 2, 3], 2), bisect.bisect_left([1, 2, 2, 3], 2))
a = array.array("d", [1.5, 2])
a.extend([3])
print(a, a.tobytes()[:8], array.array("i", range(3)).tolist(), a.itemsize, a[::-1], array.array("B", b"ab"))
print(textwrap.fill("the quick brown fox jumps over the lazy dog", 20), textwrap.dedent("  a\n    b"), textwrap.shorten("hello wide world", 12), string.Template("$a ${b}").substitute(a=1, b=2), string.ascii_lowercase[:5], shlex.split("a 'b c' d\\ e"), string.capwords("a bc"))
print(urllib.parse.urlsplit("http://u@h:80/p;x?q=1#f"), urllib.parse.quote("a b/é"), urllib.parse.parse_qs("a=1&a=2&b="), urllib.parse.urljoin("http://h/a/b", "../c"), html.escape("<&>"), uuid.uuid5(uuid.NAMESPACE_DNS, "adder"), unicodedata.name("é"), unicodedata.normalize("NFD", "é") == "e\u0301", unicodedata.category("A"))
pprint.pprint({"key%d" % i: list(range(i * 4)) for i in range(4)}, width=40)
print("\n".join(difflib.unified_diff(["a", "b"], ["a", "c"], lineterm="")), difflib.get_close_matches("appel", ["apple", "ape"]), calendar.month(2026, 2), list(graphlib.TopologicalSorter({"b": {"a"}, "c": {"b"}}).static_order()))
config = configparser.ConfigParser()
config.read_string("[s]\na = 1\nb = %(a)s2\n")
parser = argparse.ArgumentParser(prog="prog")
parser.add_argument("x", type=int)
parser.add_argument("--flag", action="store_true")
print(config["s"]["b"], parser.parse_args(["5", "--flag"]), parser.format_usage())
stream = io.StringIO()
logger = logging.getLogger("test")
handler = logging.StreamHandler(stream)
handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
logger.addHandler(handler)
logger.warning("warned %d", 5)
print(stream.getvalue(), isinstance([], collections.abc.Sequence), issubclass(dict, collections.abc.Mapping), isinstance(iter([]), collections.abc.Iterator), types.SimpleNamespace(a=1), types.MappingProxyType({"a": 1}))
