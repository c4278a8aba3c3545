"""What was kept comes back as it was, and nothing else comes in."""

import io
import zipfile

import numpy as np
import pytest

from model.errors import SerializationError
from model.forecast.serialization import loads
from model.nn.activations import ACTIVATIONS, LeakyReLU
from model.nn.layers import Dropout, Linear
from model.nn.network import Network, mlp
from model.nn.serialization import dump_checkpoint, dump_network, load_checkpoint, load_network
from model.nn.training import Checkpoint
from model.npz import MAX_BYTES, pack, unpack

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_survives_its_bytes(activation, dtype):
    network = mlp((3, 5, 2), np.random.default_rng(0), activation=activation, dropout=0.25, dtype=dtype)
    restored = load_network(dump_network(network))
    assert restored.flat.tobytes() == network.flat.tobytes()
    assert [type(layer) for layer in restored.layers] == [type(layer) for layer in network.layers]
    assert restored.layers[1] == network.layers[1]
    assert restored.layers[2] == Dropout(0.25)
    assert dump_network(restored) == dump_network(network)


def test_the_settings_of_a_layer_are_kept():
    network = Network([Linear(np.zeros((1, 1)), np.zeros(1)), LeakyReLU(0.2)])
    assert load_network(dump_network(network)).layers[1] == LeakyReLU(0.2)


def test_one_kind_is_not_taken_for_another():
    blob = dump_network(mlp((2, 1), np.random.default_rng(0)))
    with pytest.raises(SerializationError, match="a network, not a model"):
        loads(blob)
    with pytest.raises(SerializationError, match="a network, not a checkpoint"):
        load_checkpoint(blob)


def test_a_checkpoint_survives_its_bytes():
    checkpoint = Checkpoint({"weights": np.arange(3.0)}, {"random": {"state": 2**127 + 1}, "start": 0.1})
    restored = load_checkpoint(dump_checkpoint(checkpoint))
    assert restored.facts == checkpoint.facts
    assert restored.arrays["weights"].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("position", np.linspace(0.02, 0.98, 25))
def test_one_flipped_bit_is_noticed_wherever_it_is(position):
    network = mlp((3, 5, 2), np.random.default_rng(0))
    blob = bytearray(dump_network(network))
    blob[int(len(blob) * position)] ^= 0x04
    try:
        found = load_network(bytes(blob))
    except SerializationError:
        return
    # the archive has bytes without meaning, such as a date
    assert found.flat.tobytes() == network.flat.tobytes()


@pytest.mark.parametrize("length", [0, 1, 50, 500, 900])
def test_bytes_that_end_early_are_refused(length):
    with pytest.raises(SerializationError):
        load_network(dump_network(mlp((3, 5, 2), np.random.default_rng(0)))[:length])


def replaced(blob, name, content, compression=zipfile.ZIP_STORED):
    """The archive with another content for one of its entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(blob)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            if entry.filename == name:
                new.writestr(name, content, compression)
            else:
                new.writestr(entry, old.read(entry))
    return buffer.getvalue()


def npy(array, **claims):
    """The bytes of an array, whose header claims something else."""
    buffer = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array) | claims
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + array.tobytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (npy(np.zeros((3, 5), np.float32), shape=(10**9, 10**9)), "claims the shape"),
        (npy(np.zeros((3, 5), np.float32), shape=(-3, -5)), "claims the shape"),
        (npy(np.zeros((3, 5), np.float32), shape=(3, 4)), "claims the shape"),
        (npy(np.zeros((3, 5), np.complex64)), "only <f4"),
        (npy(np.zeros((3, 5), np.float32), fortran_order=True), "only <f4"),
        (b"\x80\x04K\x01.", "not a network"),
        (b"\x93NUMPY\x02\x00" + b"\x00" * 60, "format 1.0"),
    ],
)
def test_an_array_that_claims_what_is_not_there_is_refused_before_it_is_made(content, words):
    blob = dump_network(mlp((3, 5, 2), np.random.default_rng(0)))
    with pytest.raises(SerializationError, match=words):
        load_network(replaced(blob, "network.0.weight.npy", content))


def test_pickled_objects_are_refused_and_never_loaded():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object))
    blob = dump_network(mlp((3, 5, 2), np.random.default_rng(0)))
    with pytest.raises(SerializationError, match="only <f4"):
        load_network(replaced(blob, "network.0.weight.npy", buffer.getvalue()))


def test_a_compressed_entry_that_could_unpack_to_anything_is_refused():
    blob = dump_network(mlp((3, 5, 2), np.random.default_rng(0)))
    bomb = replaced(blob, "network.0.weight.npy", b"\x00" * 10**6, zipfile.ZIP_DEFLATED)
    with pytest.raises(SerializationError, match="compressed"):
        load_network(bomb)


def test_more_bytes_than_any_model_has_are_refused_unread():
    with pytest.raises(SerializationError, match="more than a network has"):
        load_network(bytes(MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("header", "arrays", "words"),
    [
        ({"format": 3, "kind": "network", "layers": []}, {}, "format 3, this release reads up to 2: upgrade"),
        ({"kind": "network"}, {}, "not a network"),
        ({"format": 1, "kind": "network", "layers": [["conv"]]}, {}, "layer network.0 is of an unknown kind"),
        ({"format": 1, "kind": "network", "layers": [["linear"]]}, {}, "not a network"),
        (
            {"format": 1, "kind": "network", "layers": [["linear"]]},
            {"network.0.weight": np.zeros((2, 1)), "network.0.bias": np.zeros(3)},
            "biases",
        ),
        (
            {"format": 1, "kind": "network", "layers": [["linear"]]},
            {"network.0.weight": np.zeros((2, 1)), "network.0.bias": np.zeros(1, np.float32)},
            "not of one type of floats",
        ),
        (
            {"format": 1, "kind": "network", "layers": [["linear"]]},
            {"network.0.weight": np.full((2, 1), np.nan), "network.0.bias": np.zeros(1)},
            "not finite",
        ),
    ],
)
def test_a_well_sealed_archive_that_is_no_network_is_refused(header, arrays, words):
    with pytest.raises(SerializationError, match=words):
        load_network(pack(header, arrays))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: mlp((2100, 8000), np.random.default_rng(0)), "more than are kept"),
        (lambda: Network([Linear(np.zeros((2, 1), np.float16), np.zeros(1, np.float16))]), "only <f4"),
        (lambda: Network([Linear(np.zeros((2, 1), ">f4"), np.zeros(1, ">f4"))]), "only <f4"),
        (lambda: Network([Dropout(0.5)]), "without a Linear"),
        (lambda: Network([Linear(np.full((2, 1), np.nan), np.zeros(1))]), "not finite"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(make, words):
    with pytest.raises(SerializationError, match=words):
        dump_network(make())


def test_a_dropout_of_nothing_survives():
    network = Network([Dropout(0), Linear(np.zeros((2, 1)), np.zeros(1))])
    assert load_network(dump_network(network)).layers[0] == Dropout(0.0)


@pytest.mark.parametrize(("offset", "value"), [(6, 0x01), (6, 0x20), (4, 99)])
def test_flags_of_the_archive_that_cannot_be_read_are_no_traceback(offset, value):
    blob = bytearray(dump_network(mlp((3, 5, 2), np.random.default_rng(0))))
    central = blob.rindex(b"PK\x01\x02")
    blob[central + offset + 2] = value
    with pytest.raises(SerializationError):
        load_network(bytes(blob))


@pytest.mark.parametrize("number", [0, -1, True, "1", None])
def test_a_format_that_is_no_number_from_one_on_is_refused(number):
    with pytest.raises(SerializationError, match="its format is"):
        load_network(pack({"format": number, "kind": "network", "layers": []}, {}))


def test_arrays_that_no_layer_has_and_weights_that_are_no_floats_are_refused():
    arrays = {"network.0.weight": np.zeros((2, 1)), "network.0.bias": np.zeros(1)}
    header = {"format": 1, "kind": "network", "layers": [["linear"]]}
    with pytest.raises(SerializationError, match=r"no layer has network\.1\.weight"):
        load_network(pack(header, arrays | {"network.1.weight": np.zeros(3)}))
    with pytest.raises(SerializationError, match="one type of floats"):
        load_network(pack(header, {name: value.astype(np.uint8) for name, value in arrays.items()}))


def test_what_a_file_is_instead_is_said_before_its_format_and_damage_is_called_damage():
    blob = dump_network(mlp((3, 5, 2), np.random.default_rng(0)))
    with pytest.raises(SerializationError, match=r"^a network, not a model$"):
        unpack(blob, "model", 0)
    flipped = bytearray(blob)
    flipped[len(blob) // 2] ^= 4
    with pytest.raises(SerializationError, match=r"^damaged: "):
        load_network(bytes(flipped))
    foreign = io.BytesIO()
    np.savez(foreign, weights=np.zeros(3))
    with pytest.raises(SerializationError, match=r"^not a network of monitor: it has no header$"):
        load_network(foreign.getvalue())
