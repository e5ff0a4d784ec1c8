"""Writes samples and native histograms to a server by remote write 1.0. Python's standard library only."""
import struct

from harness import get


def varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def zigzag(number):
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def double(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)


def whole(number, value):
    return varint(number << 3) + varint(value)


def float_bits(bits):
    """The double of these bits, as the marker of staleness needs it."""
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


STALE = 0x7FF0000000000002


def sample(millis, value):
    """value: a number, or STALE."""
    packed = struct.pack("<Q", STALE) if value is STALE else struct.pack("<d", value)
    return field(2, varint(1 << 3 | 1) + packed + whole(2, millis))


def side(first_field, spans, counts, is_float):
    out = b"".join(field(first_field, varint(1 << 3) + zigzag(offset) + whole(2, length)) for offset, length in spans)
    if is_float:
        return out + field(first_field + 2, b"".join(struct.pack("<d", count) for count in counts))
    deltas = [count - before for before, count in zip([0] + counts, counts)]
    return out + field(first_field + 1, b"".join(zigzag(delta) for delta in deltas))


def histogram(millis, *, positive=((), ()), negative=((), ()), zero=0, total=0.0, schema=0, threshold=0.0, is_float=False, hint=0):
    """positive, negative: (spans, counts), spans as (offset, length). total: the sum, or STALE. Other counts follow."""
    count = sum(positive[1]) + sum(negative[1]) + zero
    total = struct.pack("<Q", STALE) if total is STALE else struct.pack("<d", total)
    out = double(2, count) if is_float else whole(1, count)
    out += varint(3 << 3 | 1) + total + varint(4 << 3) + zigzag(schema) + double(5, threshold)
    out += double(7, zero) if is_float else whole(6, zero)
    out += side(8, negative[0], list(negative[1]), is_float) + side(11, positive[0], list(positive[1]), is_float)
    return field(4, out + whole(14, hint) + whole(15, millis))


def snappy(data):
    """Without compressing."""
    out = varint(len(data))
    for begin in range(0, len(data), 1 << 16):
        piece = data[begin:begin + (1 << 16)]
        out += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return out


def series(labels, *samples):
    """labels: a dict; samples: what sample() and histogram() give, in the order of time."""
    pairs = b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in sorted(labels.items()))
    return field(1, pairs + b"".join(samples))


def write(url, *all_series):
    status, _, body = get(url + "/api/v1/write", data=snappy(b"".join(all_series)), method="POST",
                          headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
                                   "X-Prometheus-Remote-Write-Version": "0.1.0"})
    assert status in (200, 204), (status, body)
