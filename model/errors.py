"""What can keep a model from being made or read, each said in one sentence that a person can act on."""


class ModelError(Exception):
    """A model cannot be made or used."""


class InputError(ModelError):
    """Arrays or settings that no network can be fitted with: wrong shapes, values that are not finite, ..."""


class NotEnoughHistoryError(ModelError):
    """The history is too short, or too calm, to learn from."""


class DivergedError(ModelError):
    """The training left the finite numbers or ran away from its start."""


class SerializationError(ModelError):
    """Bytes that are not a model, or not one that this release reads."""
