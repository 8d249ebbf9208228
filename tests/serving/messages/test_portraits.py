from __future__ import annotations

from serving.messages import schemas
from serving.messages.portraits import PeerFigure


def test_a_portrait_describes_all_its_parts() -> None:
    described = schemas.Portrait.model_json_schema()
    assert {"stage", "tier", "peers", "missing_facts", "ask_next"} <= described["properties"].keys()
    assert {"StageAnswer", "TierAnswer", "PeersAnswer", "PeerFigure"} <= described["$defs"].keys()


def test_what_is_unknown_is_null() -> None:
    figure = PeerFigure(value=None, unit="cents", meaning="Money", median=None, percentile=None, known=0)
    assert figure.model_dump()["percentile"] is None
