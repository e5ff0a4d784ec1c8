"""Requests of remote write 1.0, made by hand: protobuf, and snappy's block format with literals only."""
import struct

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}


def varint(number):
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number):
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number_field(number, value):
    return varint(number << 3) + varint(value)


def double_field(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)


def label_set(labels):
    """The labels of a series, sorted by name."""
    return b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in sorted(labels.items()))


def sample(millis, value):
    time = varint(millis)
    return b"\x12" + bytes((10 + len(time),)) + b"\x09" + struct.pack("<d", value) + b"\x10" + time


def histogram(millis, total, counts, schema=0):
    """A native one, of integers: `counts` of the buckets from 1 on in a row; `total` is the sum of what was observed."""
    deltas = [b - a for a, b in zip([0] + counts[:-1], counts)]
    return field(4, number_field(1, sum(counts)) + double_field(3, total) + varint(4 << 3) + zigzag(schema)
                 + double_field(5, 1e-128) + number_field(6, 0)
                 + field(11, varint(1 << 3) + zigzag(0) + number_field(2, len(counts)))
                 + field(12, b"".join(map(zigzag, deltas))) + number_field(15, millis))


def series(labels, samples):
    """One series of a request; `labels` comes from label_set, `samples` is what sample and histogram gave, joined."""
    return field(1, labels + samples)


def packed(message):
    out = bytearray(varint(len(message)))
    for at in range(0, len(message), 65536):
        part = message[at:at + 65536]
        out += b"\xf4" + struct.pack("<H", len(part) - 1) + part
    return bytes(out)
