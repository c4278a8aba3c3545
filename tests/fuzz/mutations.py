"""Mutations of valid inputs: bytes, tokens and lines, drawn from a seeded generator."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

TOKENS = re.compile(rb"[A-Za-z_]+|[0-9.eE+-]+|\s+|.", re.DOTALL)

EDGE_TOKENS = (
    b"",
    b"\x00",
    b"\x7f",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\\ud800",
    b'"\\u0000"',
    b"\r",
    b"\n\n",
    "é\u202e\u2028".encode(),
    b"-0",
    b"0x7fffffff",
    b"1e309",
    b"-1e309",
    b"1e-400",
    b"1e99999999999",
    b"nan",
    b"inf",
    b"9" * 40,
    b"9" * 5000,
    b"1" + b"_1" * 3000,
    b"0." + b"1" * 5000,
    b"99999999999999999999d",
    b'"1' + b"0" * 400 + b'd"',
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"[" * 3000,
    b"[" * 100 + b"]" * 100,
    b"{a=" * 3000,
    b"{" * 3000,
    b"a." * 3000 + b"b",
    b"- " * 3000,
    b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:59.999999999-23:59",
    b"292278994-08-17T07:12:55Z",
    b"2026-02-30T25:61:61Z",
    b"1979-05-27T07:32:00",
    b"0001-01-01T00:00:00+14:00",
    b"2026-10-25 02:30:00 CEST",
    b"2026-01-01T24:00:60Z",
    b"1e15",
    b"0e999",
    b"1.5E+300",
    "\u0661\u0662".encode(),
    b"-5",
    b"07:32:00",
    b"!!python/object:os.system",
    b"!!timestamp 99999-99-99",
    b"!!int x",
    b"!!binary x",
    b"&a *a",
    b"%",
    b"'",
    b'"',
    b'"""',
    b"#",
    b";",
    b",",
    b"\t",
    b"a" * 70_000,
    b"../../../../etc/passwd",
    b"/dev/zero",
    b"/dev/full",
    b"/proc/self/mem",
)
"""Tokens that parsers get wrong: extreme numbers and dates, deep nesting, invalid text, special files."""

Mutation = Callable[[Random, bytes], bytes]


def _flip_bits(random: Random, data: bytes) -> bytes:
    result = bytearray(data)
    for _ in range(random.randint(1, 4)):
        if result:
            result[random.randrange(len(result))] ^= 1 << random.randrange(8)
    return bytes(result)


def _cut(random: Random, data: bytes) -> bytes:
    start = random.randint(0, len(data))
    return data[:start] + data[random.randint(start, min(len(data), start + 200)) :]


def _truncate(random: Random, data: bytes) -> bytes:
    return data[: random.randint(0, len(data))]


def _repeat(random: Random, data: bytes) -> bytes:
    start = random.randint(0, len(data))
    part = data[start : start + random.randint(1, 200)]
    return data[:start] + part * random.choice((2, 3, 50)) + data[start:]


def _replace_token(random: Random, data: bytes) -> bytes:
    tokens = TOKENS.findall(data)
    if tokens:
        tokens[random.randrange(len(tokens))] = random.choice(EDGE_TOKENS)
    return b"".join(tokens)


def _insert_token(random: Random, data: bytes) -> bytes:
    position = random.randint(0, len(data))
    return data[:position] + random.choice(EDGE_TOKENS) + data[position:]


def _replace_value(random: Random, data: bytes) -> bytes:
    """Replace the text after a separator, up to the end of the cell or line."""
    values = list(re.finditer(rb"(?<=[=:,])[^\n,]*", data))
    if not values:
        return data
    match = random.choice(values)
    return data[: match.start()] + random.choice(EDGE_TOKENS) + data[match.end() :]


def _shuffle_lines(random: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines)


def _swap_tokens(random: Random, data: bytes) -> bytes:
    tokens = TOKENS.findall(data)
    if len(tokens) > 1:
        first, second = random.sample(range(len(tokens)), 2)
        tokens[first], tokens[second] = tokens[second], tokens[first]
    return b"".join(tokens)


MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits,
    _cut,
    _truncate,
    _repeat,
    _replace_token,
    _insert_token,
    _replace_value,
    _replace_value,
    _shuffle_lines,
    _swap_tokens,
)


def mutate(random: Random, seeds: Sequence[bytes]) -> bytes:
    """Return one of the seeds after one to three mutations."""
    data = random.choice(seeds)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        data = random.choice(MUTATIONS)(random, data)
    return data
