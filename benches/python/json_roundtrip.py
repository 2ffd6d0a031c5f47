"""Nested records to JSON text and back, with escapes, floats and sorted keys."""

import json

N = 400
QUICK = 2


def record(number):
    return {
        "id": number,
        "name": "item %d" % number,
        "price": number * 1.25,
        "tags": ["t%d" % tag for tag in range(number % 7)],
        "nested": {"active": number % 2 == 0, "none": None, "text": 'quote " slash \\ tab \t é 漢 \U0001f600'},
        "matrix": [[row * column for column in range(4)] for row in range(4)],
    }


def run(n):
    records = [record(number) for number in range(200)]
    length = total = 0
    for turn in range(n):
        text = json.dumps(records, sort_keys=turn % 2 == 0, indent=2 if turn % 3 == 0 else None)
        length += len(text)
        back = json.loads(text)
        assert back == records
        total += sum(entry["matrix"][3][3] + len(entry["nested"]["text"]) for entry in back)
    return "%d %d" % (length, total)
