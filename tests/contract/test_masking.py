"""What may be kept of real error texts still tells the same."""

import json

from holdfast.adapters.tables import load_codebook
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.masking import masked
from holdfast.reading.texts import read_text


def test_a_masked_text_is_diagnosed_like_the_whole(fixtures):
    book = load_codebook()
    texts = [
        json.loads(line)["error_text"]
        for line in (fixtures / "diagnosis" / "real-errors.jsonl").read_text(encoding="utf-8").splitlines()
    ]

    def cause(text):
        return diagnose(read_text(text, book))[0].cause.id

    assert [text for text in texts if cause(text) != cause(masked(text))] == []
