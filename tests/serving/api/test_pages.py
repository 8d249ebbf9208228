from __future__ import annotations

from typing import Any

from serving.api.door import NAMED
from serving.api.pages import pages


def test_the_page_of_the_api_needs_nothing_from_the_network(client: Any) -> None:
    page = client.get("/").text
    assert "./docs.json" in page
    assert "//" not in page.replace("<!--", "")
    document = client.get("/docs.json").json()
    assert document["openapi"] == "3.1.0"
    assert "/v1/customers/{customer_id}" in document["paths"]


def test_an_application_of_its_own_for_every_service() -> None:
    assert pages() is not pages()
    assert [route.path for route in pages().routes] == ["/", "/docs.json", *NAMED]  # type: ignore[attr-defined]
