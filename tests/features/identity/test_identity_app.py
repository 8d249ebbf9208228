from __future__ import annotations

import json

from tests.conftest import done, nextbest
from tests.features.identity.conftest import Identify


def test_the_commands(identify: Identify) -> None:
    workspace = identify([("a", 3, "phone", "13812345678"), ("b", 5, "phone", "13812345678")])
    command = ("features", "identity")
    (one,) = json.loads(done(nextbest(*command, "explain", "13812345678", "--json", workspace=workspace)))
    assert (one["customer_id"], one["aliases"], one["links"][0]["known"]) == ("a", ["b"], "2024-01-05")
    text = done(nextbest(*command, "explain", "b", workspace=workspace))
    assert "customer a; aliases: b" in text
    assert "same phone" in text
    assert "features build" in done(nextbest(*command, "split", "b", workspace=workspace))
    merged = json.loads(done(nextbest(*command, "merge", "b", "a", "--json", workspace=workspace)))
    assert merged["customers"] == {"a": "a", "b": "a"}
    failed = nextbest(*command, "split", "nobody", workspace=workspace)
    assert (failed.returncode, failed.stderr.count("\n")) == (2, 1)
