"""Which pictures there are is tried per kind of task in test_report.py; here, how they become files."""

from __future__ import annotations

import base64

from features import pictures
from training.reporting.gallery import Image


def test_an_image_is_a_png_that_knows_its_width() -> None:
    wide, narrow = (Image.of(pictures.canvas("Finding", size=size)[0]) for size in ((10.0, 2.0), (6.4, 2.0)))
    assert (wide.wide, narrow.wide) == (True, False)
    assert wide.png.startswith(b"\x89PNG")
    assert base64.b64decode(wide.uri.removeprefix("data:image/png;base64,")) == wide.png
