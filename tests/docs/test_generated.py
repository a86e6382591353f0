"""Pages made from the code say what the code says."""

from tools.docs import stale


def test_every_generated_page_is_current():
    assert stale() == [], "run `make docs`"
