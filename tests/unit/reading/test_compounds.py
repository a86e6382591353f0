"""Codes that nobody listed are read as words, where codes stand."""

import pytest

from holdfast.reading.compounds import compounds

READ = {
    '{"code":"ApiPolicyEndpointViolation"}': ["api policy endpoint violation"],
    "ErrorCode=SqlOperationFailed,Type": ["sql operation failed"],
    "DM_GWPipeline_Client_NewFailure": ["dm gw pipeline client new failure"],
    "Status: GenAIToolLimitReached": ["gen ai tool limit reached"],
    "at System.Data.SqlConnection.OpenAsync": [],
    "code: unauthorized": [],
    "code: Forbidden": [],
    "": [],
}


@pytest.mark.parametrize(("line", "words"), READ.items(), ids=READ.keys())
def test_a_code_of_several_words_is_read_where_codes_stand(line, words):
    assert [each.words for each in compounds(line)] == words


def test_a_code_is_read_once():
    assert len(list(compounds('"code":"QuotaPolicyMissing", "code":"QuotaPolicyMissing"'))) == 1
