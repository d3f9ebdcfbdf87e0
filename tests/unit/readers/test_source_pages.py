import re

import pytest

from pinzhi.readers.discover import READERS, discover
from tests import source_pages
from tests.source_pages import PAGES, SAMPLES

FILES = sorted(PAGES.glob("*.md"))


@pytest.mark.parametrize("page", FILES, ids=lambda path: path.stem)
def test_tables_of_a_page_are_those_of_the_code(page: object) -> None:
    text = page.read_text("utf-8")  # type: ignore[attr-defined]
    assert source_pages.written(text) == text, "run `python -m tests.source_pages`"


def test_every_reader_has_a_page_and_the_list_names_all() -> None:
    shown = [
        samples.split() for page in FILES for samples in re.findall("<!-- fields: (.*?) -->", page.read_text("utf-8"))
    ]
    sources, _ = discover([SAMPLES / name for names in shown for name in names])
    assert {source.reader for source in sources} == {reader.name for reader in READERS}
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (PAGES / "README.md").read_text("utf-8"))
    assert sorted(listed) == [page.name for page in FILES if page.name != "README.md"]
