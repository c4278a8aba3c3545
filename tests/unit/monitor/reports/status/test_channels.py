"""Channel lines of the status report."""

import pytest

from monitor.documents.status import ChannelStatus
from monitor.reports.status.channels import channel_lines
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

FAILING = ChannelStatus("ops", "webhook", 2, 1, 3, None, NOW, "status 503")


def test_channel_lines_name_deliveries_waiting_and_failing_notifications(overview):
    channels = (FAILING, ChannelStatus("mail", "email", 0, 0, 0, NOW, None, ""))
    ops, mail = map(str, channel_lines(channels))
    for part in ("nothing delivered yet", "2 waiting", "3 attempts failed", "status 503", "1 notification given up"):
        assert part in ops
    assert "last delivery" in mail
    assert ";" not in mail
