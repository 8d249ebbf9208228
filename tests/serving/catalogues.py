"""Catalogues that tests of several modules change and load."""

import re
from pathlib import Path

import pytest

from features.errors import UserError
from serving.catalogue import actions

# Nothing but what an action needs, and below everything that one can say.
SMALL = """
default_place: till
channels:
  cashier: {cost_cents: 5, reach: 0.5}
places:
  till: {name: {en: Till, zh: 收银台}, channels: [cashier]}
assumptions:
  margin: {value: 0.25, unit: share, meaning: what is left of a sale, source: test}
actions:
  - id: one_more
    kind: growth
    name: {en: One more, zh: 再来}
    text: {en: Come again., zh: 再来。}
    eligible: visits_28 >= 1
    propensity: 0.1
    value_cents: spend_28 * margin
    horizon_days: 28
    places: [till]
    channels: [cashier]
"""


FULL = """
default_place: till
channels:
  cashier:
    {cost_cents: 5, reach: 0.5, limits: [{contacts: 2, days: 7}], quiet_hours: {begins: 21:00, ends: 09:00}}
places:
  till: {name: {en: Till, zh: 收银台}, channels: [cashier]}
purposes:
  marketing: {unless_stated: permitted}
policy:
  purpose: marketing  # of an action without one
  across: [{contacts: 3, days: 7}]
  refused_days: 91
  refused_all_days: 14
  ignored_times: 3
  ignored_days: 56
  complaint_days: 28
  exempt_kinds: [service]
control: {share: 0.02, salt: here}
exploration: {share: 0.05}
credibility: 0.8
context:
  till: {growth: 1.5}
experiments:
  wording: {arms: {short: 0.5, long: 0.5}, starts: 2018-01-01, ends: 2018-03-31}
triggers:
  festival: {days: [2018-02-16], meaning: {en: Spring Festival, zh: 春节}}
assumptions:
  margin: {value: 0.25, unit: share, meaning: what is left of a sale, source: test}
  rate: {value: 0.1, spread: 0.05, unit: share, meaning: who comes, source: test}
actions:
  - id: one_more
    kind: growth
    name: {en: One more, zh: 再来}
    text: {en: Come again., zh: 再来。}
    eligible: >-
      stage = 'stable' AND tier IN ('VIP', 'A') AND consent_marketing = 1 AND festival = 1
      AND open_complaint = 0
    propensity: rate
    value_cents: spend_28 * margin
    horizon_days: 28
    places: [till]
    channels: [cashier]
    purpose: marketing
    limits: [{contacts: 1, days: 7}, {contacts: 2, days: 28}]
    capacity: {contacts: 100, days: 1}
    starts: 2018-01-01
    ends: 2018-01-31
    lever: 2
    control_share: 0.1
    experiment: {id: wording, arms: [long]}
    effect: rate
"""


def load(tmp_path: Path, text: str) -> actions.Catalogue:
    file = tmp_path / "actions.yaml"
    file.write_text(text, encoding="utf-8")
    return actions.load(file)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        load(tmp_path, text)
    sentence = str(caught.value)
    assert str(tmp_path / "actions.yaml") in sentence
    assert not re.search(r"\b(CatalogueFile|Entry|Channel|Place|Text|Limit|Policy|Arms|instance)\b", sentence)
    assert "\n" not in sentence
    return sentence
