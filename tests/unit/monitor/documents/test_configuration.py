"""Document of the configuration check."""

import pytest

from monitor.documents.configuration import ConfigCheckDocument
from monitor.system.json_codec import to_plain

pytestmark = pytest.mark.unit


def test_config_check_has_null_for_an_unreadable_configuration():
    document = ConfigCheckDocument("x.toml", ("web.listen: not an address",))
    assert to_plain(document) == {"file": "x.toml", "problems": ["web.listen: not an address"], "config": None}
