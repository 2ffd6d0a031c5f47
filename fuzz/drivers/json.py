# JSON texts: what loads gives dumps to what loads to the same.
import json
import json.decoder
import json.encoder


def one(data):
    choice, data = data[:1], data[1:]
    choice = choice[0] if choice else 0
    text = data if choice & 1 else data.decode('utf-8', 'surrogatepass' if choice & 2 else 'replace') if not choice & 2 else data.decode('latin-1')
    if isinstance(text, str):
        for at in (0, 1, len(text), len(text) + 1):
            for strict in (True, False):
                try:
                    json.decoder.scanstring(text, at, strict)
                except ValueError:
                    pass
        json.encoder.encode_basestring(text)
        json.encoder.encode_basestring_ascii(text)
    try:
        value = json.loads(text, strict=not choice & 4, object_pairs_hook=list if choice & 8 else None)
    except ValueError:
        return
    for options in ({}, {'ensure_ascii': False, 'indent': choice >> 4}, {'sort_keys': True, 'separators': (',', ':')}):
        try:
            again = json.dumps(value, **options)
        except ValueError:
            continue  # an int with too many digits
        if not choice & 8:
            assert repr(json.loads(again)) == repr(value) or 'sort_keys' in options
