"""A reference in the settings leads to its secret, or to one sentence."""

import pytest

from holdfast.adapters.secrets.references import References
from holdfast.core.errors import SecretStoreError
from holdfast.core.secret import Secret, SecretReference
from tests.fakes.secrets import MemorySecrets


async def test_a_reference_finds_its_store():
    keyring, file = MemorySecrets(), MemorySecrets()
    await keyring.write("a", Secret("from the keyring"))
    await file.write("a", Secret("from the file"))
    references = References({"keyring": keyring, "file": file}, {"A": "from the environment"})

    texts = [
        (await references.text(SecretReference(kind, name))).reveal()
        for kind, name in (("keyring", "a"), ("file", "a"), ("env", "A"))
    ]

    assert texts == ["from the keyring", "from the file", "from the environment"]


@pytest.mark.parametrize("reference", [SecretReference("file", "b"), SecretReference("env", "B")])
async def test_a_reference_to_nothing_names_itself(reference):
    references = References({"file": MemorySecrets()}, {"B": ""})

    with pytest.raises(SecretStoreError, match=reference.name):
        await references.text(reference)
