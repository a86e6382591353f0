"""A secret shows itself to nobody who does not ask by name."""

import json
import pickle

import pytest

from holdfast.core.secret import Secret, SecretReference

SECRET = Secret("s3cr3t~text")


@pytest.mark.parametrize("shown", [repr(SECRET), str(SECRET), f"{SECRET}", f"{[SECRET]}", "%s" % SECRET])  # noqa: UP031
def test_printing_does_not_reveal_it(shown):
    assert "s3cr3t" not in shown


@pytest.mark.parametrize("dump", [pickle.dumps, json.dumps])
def test_it_is_not_written_by_accident(dump):
    with pytest.raises(TypeError):
        dump(SECRET)


REFERENCES = {
    "keyring:contoso-reader": SecretReference("keyring", "contoso-reader"),
    "env:A": SecretReference("env", "A"),
    "file:a:b": SecretReference("file", "a:b"),
    "vault:a": None,
    "keyring:": None,
    "keyring: a": None,
    "s3cr3t~text": None,
}


@pytest.mark.parametrize(("text", "reference"), REFERENCES.items())
def test_a_reference_is_a_kind_and_a_name(text, reference):
    assert SecretReference.parse(text) == reference
