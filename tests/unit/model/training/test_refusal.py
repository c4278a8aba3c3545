"""Messages of refusals."""

import pytest

from model.training.refusal import INCUMBENT, Refusal, RefusalReason

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("reason", RefusalReason)
def test_every_reason_has_a_message_with_its_figures(reason):
    refusal = Refusal(
        reason, INCUMBENT, candidate=0.0525, other=0.01, difference=0.0425, allowed=0.0101, detail="no calm load"
    )
    assert "nan" not in refusal.message
    assert "{" not in refusal.message
    assert any(figure in refusal.message for figure in ("0.0525", "0.052", "0.053", "+0.04", "no calm load"))


def test_reasons_have_distinct_codes():
    assert len({reason.value for reason in RefusalReason}) == len(RefusalReason)
