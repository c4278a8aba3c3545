"""Tests of `model.npz`."""

import io
import zipfile

import numpy as np
import pytest

from model.errors import SerializationError, SerializationProblem
from model.npz import MAX_BYTES, pack, unpack

pytestmark = pytest.mark.unit

HEADER = {"format": 1, "kind": "network", "layers": []}
ARRAYS = {"weight": np.arange(15, dtype=np.float32).reshape(3, 5)}


def problem_of(blob, kind="network", newest=1):
    """Return the reason why the bytes are refused."""
    with pytest.raises(SerializationError) as raised:
        unpack(blob, kind, newest)
    return raised.value.problem


def with_entry(blob, name, content, compression=zipfile.ZIP_STORED):
    """Return the archive with other content of one of its entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(blob)) as original, zipfile.ZipFile(buffer, "w") as changed:
        for entry in original.infolist():
            if entry.filename == name:
                changed.writestr(name, content, compression)
            else:
                changed.writestr(entry, original.read(entry))
    return buffer.getvalue()


def npy(array, **header):
    """Return the bytes of an array with changed entries of its header."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, np.lib.format.header_data_from_array_1_0(array) | header)
    return buffer.getvalue() + array.tobytes()


def pickled():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object))
    return buffer.getvalue()


def test_unpack_returns_what_pack_stored():
    header, arrays = unpack(pack(HEADER, ARRAYS), "network", 1)
    assert header == HEADER
    assert arrays["weight"].tobytes() == ARRAYS["weight"].tobytes()
    assert arrays["weight"].shape == (3, 5)


def test_pack_gives_equal_bytes_for_equal_content():
    assert pack(HEADER, ARRAYS) == pack(dict(reversed(HEADER.items())), ARRAYS)


@pytest.mark.parametrize("position", np.linspace(0.02, 0.98, 25))
def test_unpack_detects_a_flipped_bit(position):
    blob = bytearray(pack(HEADER, ARRAYS))
    blob[int(len(blob) * position)] ^= 0x04
    try:
        header, arrays = unpack(bytes(blob), "network", 1)
    except SerializationError:
        return
    # Some bytes of a zip file have no meaning here, such as the dates.
    assert header == HEADER
    assert arrays["weight"].tobytes() == ARRAYS["weight"].tobytes()


def test_unpack_reports_a_flipped_bit_in_an_array_as_damage():
    blob = bytearray(pack(HEADER, ARRAYS))
    blob[bytes(blob).index(ARRAYS["weight"].tobytes())] ^= 0x04
    assert problem_of(bytes(blob)) is SerializationProblem.DAMAGED


@pytest.mark.parametrize("length", [0, 1, 50, 500, 690])
def test_unpack_rejects_truncated_bytes(length):
    blob = pack(HEADER, ARRAYS)
    assert len(blob) > length
    expected = SerializationProblem.DAMAGED if length > 3 else SerializationProblem.FOREIGN
    assert problem_of(blob[:length]) is expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (npy(np.zeros((3, 5), np.float32), shape=(10**9, 10**9)), SerializationProblem.CONTENT),
        (npy(np.zeros((3, 5), np.float32), shape=(-3, -5)), SerializationProblem.CONTENT),
        (npy(np.zeros((3, 5), np.float32), shape=(3, 4)), SerializationProblem.CONTENT),
        (npy(np.zeros((3, 5), np.complex64)), SerializationProblem.CONTENT),
        (npy(np.zeros((3, 5), np.float32), fortran_order=True), SerializationProblem.CONTENT),
        (pickled(), SerializationProblem.CONTENT),
        (b"\x93NUMPY\x02\x00" + b"\x00" * 60, SerializationProblem.CONTENT),
        (b"\x80\x04K\x01.", SerializationProblem.FOREIGN),
    ],
    ids=["huge", "negative", "short", "complex", "fortran", "pickled", "version 2", "no array"],
)
def test_unpack_rejects_invalid_arrays_before_it_allocates_them(content, problem):
    assert problem_of(with_entry(pack(HEADER, ARRAYS), "weight.npy", content)) is problem


def test_unpack_shortens_the_reason_of_a_long_damaged_name():
    blob = bytearray(pack(HEADER, {"weight": np.zeros(20_000, np.float32)}))
    blob[26:28] = b"\xff\xff"  # length of the first entry's name
    with pytest.raises(SerializationError) as raised:
        unpack(bytes(blob), "network", 1)
    assert raised.value.problem is SerializationProblem.DAMAGED
    assert len(str(raised.value)) < 300


def test_unpack_rejects_compressed_entries():
    bomb = with_entry(pack(HEADER, ARRAYS), "weight.npy", b"\x00" * 10**6, zipfile.ZIP_DEFLATED)
    assert problem_of(bomb) is SerializationProblem.CONTENT


def test_unpack_rejects_too_many_bytes_without_reading_them():
    assert problem_of(bytes(MAX_BYTES + 1)) is SerializationProblem.TOO_LARGE


@pytest.mark.parametrize(("offset", "value"), [(6, 0x01), (6, 0x20), (4, 99)])
def test_unpack_rejects_unsupported_zip_flags(offset, value):
    blob = bytearray(pack(HEADER, ARRAYS))
    central = blob.rindex(b"PK\x01\x02")
    blob[central + offset + 2] = value
    with pytest.raises(SerializationError):
        unpack(bytes(blob), "network", 1)


def test_unpack_rejects_a_newer_format():
    assert problem_of(pack({**HEADER, "format": 2}, {})) is SerializationProblem.NEWER_FORMAT


@pytest.mark.parametrize("number", [0, -1, True, "1", None])
def test_unpack_rejects_invalid_format_numbers(number):
    assert problem_of(pack({**HEADER, "format": number}, {})) is SerializationProblem.FOREIGN


def test_unpack_rejects_another_kind_before_it_compares_the_format():
    assert problem_of(pack(HEADER, ARRAYS), kind="model", newest=0) is SerializationProblem.KIND


def test_unpack_accepts_models_of_early_releases_without_kind():
    header, _ = unpack(pack({"format": 1}, {}), "model", 1)
    assert header == {"format": 1}


def test_unpack_rejects_an_archive_without_header():
    foreign = io.BytesIO()
    np.savez(foreign, weights=np.zeros(3))
    assert problem_of(foreign.getvalue()) is SerializationProblem.FOREIGN


@pytest.mark.parametrize("dtype", [np.float16, ">f4", np.int64])
def test_pack_rejects_element_types_that_unpack_does_not_read(dtype):
    with pytest.raises(SerializationError) as raised:
        pack(HEADER, {"weight": np.zeros(3, dtype)})
    assert raised.value.problem is SerializationProblem.CONTENT


def test_pack_rejects_too_many_bytes():
    with pytest.raises(SerializationError) as raised:
        pack(HEADER, {"weight": np.zeros(MAX_BYTES // 4 + 1, np.float32)})
    assert raised.value.problem is SerializationProblem.TOO_LARGE
