"""The floor of the service's benchmarks: BentoML giving back the JSON it is sent, as fast as it can.

Tracing is excluded and the access log off: these are the two settings by which BentoML's cost per request
differs most. uvicorn takes uvloop and httptools by itself, as they are installed. Started as a process of its
own: `python tests/benchmarks/echo.py PORT`.
"""

# BentoML's classes and decorators have no types.
# mypy: disable-error-code="misc, untyped-decorator"
from __future__ import annotations

import logging
import os
import sys
from typing import Any

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import bentoml
import uvicorn

PATH = "/echo"


@bentoml.service(
    workers=1,
    traffic={"timeout": 30},
    tracing={"excluded_urls": ".*"},
    logging={"access": {"enabled": False}},
)
class Echo:
    @bentoml.api(route=PATH)
    async def echo(self, asked: dict[str, Any], /) -> dict[str, Any]:
        return asked


if __name__ == "__main__":
    logging.getLogger("bentoml").setLevel(logging.WARNING)
    uvicorn.run(Echo.to_asgi(), port=int(sys.argv[1]), log_config=None, access_log=False, server_header=False)
