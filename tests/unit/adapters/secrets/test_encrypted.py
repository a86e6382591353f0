"""The encrypted file: its keys, and what goes wrong with it."""

import os
import stat

import pytest

from holdfast.adapters.secrets.encrypted import EncryptedFile, KeysInFile, KeysInStore, new_key_file
from holdfast.core.errors import SecretStoreError
from holdfast.core.secret import Secret
from tests.fakes.secrets import MemorySecrets


@pytest.fixture
def keys():
    return KeysInStore(MemorySecrets(), "key")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "secrets.enc"


async def test_the_file_shows_neither_names_nor_texts(file, keys):
    await EncryptedFile(file, keys).write("contoso-reader", Secret("s3cr3t~text"))

    content = file.read_bytes()
    assert b"contoso" not in content
    assert b"s3cr3t" not in content


@pytest.mark.skipif(os.name != "posix", reason="rights are lists of another kind on Windows")
async def test_only_its_user_may_read_the_file(file, keys):
    await EncryptedFile(file, keys).write("a", Secret("b"))

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_rotating_the_key_keeps_the_secrets_and_drops_the_old_key(file, tmp_path):
    new_key_file(tmp_path / "key")
    old = (tmp_path / "key").read_text()
    store = EncryptedFile(file, KeysInFile(tmp_path / "key"))
    await store.write("a", Secret("b"))

    await store.rotate_key()

    found = await store.read("a")
    assert found is not None
    assert found.reveal() == "b"
    assert old.strip() not in (tmp_path / "key").read_text()


async def test_a_second_key_below_the_first_still_reads(file, tmp_path):
    new_key_file(tmp_path / "old")
    await EncryptedFile(file, KeysInFile(tmp_path / "old")).write("a", Secret("b"))
    new_key_file(tmp_path / "new")
    (tmp_path / "both").write_text((tmp_path / "new").read_text() + (tmp_path / "old").read_text())

    found = await EncryptedFile(file, KeysInFile(tmp_path / "both")).read("a")

    assert found is not None
    assert found.reveal() == "b"


async def test_a_wrong_key_is_said_and_the_file_stays(file, tmp_path, keys):
    await EncryptedFile(file, keys).write("a", Secret("b"))
    before = file.read_bytes()
    new_key_file(tmp_path / "other")

    with pytest.raises(SecretStoreError, match="cannot be decrypted"):
        await EncryptedFile(file, KeysInFile(tmp_path / "other")).write("a", Secret("c"))

    assert file.read_bytes() == before


async def test_a_lost_key_is_not_replaced(file, keys):
    await EncryptedFile(file, keys).write("a", Secret("b"))

    with pytest.raises(SecretStoreError, match="put it back"):
        await EncryptedFile(file, KeysInStore(MemorySecrets(), "key")).write("a", Secret("c"))


async def test_an_absent_key_file_is_said(file, tmp_path):
    with pytest.raises(SecretStoreError, match="holdfast secret new-key"):
        await EncryptedFile(file, KeysInFile(tmp_path / "absent")).write("a", Secret("b"))


async def test_a_key_file_of_something_else_is_said_without_its_text(file, tmp_path):
    (tmp_path / "key").write_text("s3cr3t~text")

    with pytest.raises(SecretStoreError, match="no Fernet key") as caught:
        await EncryptedFile(file, KeysInFile(tmp_path / "key")).write("a", Secret("b"))

    assert "s3cr3t" not in str(caught.value)


async def test_a_folder_that_cannot_be_written_is_said(tmp_path, keys):
    (tmp_path / "state").write_text("a file where the folder should be")

    with pytest.raises(SecretStoreError, match=r"secrets\.enc could not be written"):
        await EncryptedFile(tmp_path / "state" / "secrets.enc", keys).write("a", Secret("b"))


def test_a_key_file_is_never_overwritten(tmp_path):
    new_key_file(tmp_path / "key")

    with pytest.raises(SecretStoreError, match="exists"):
        new_key_file(tmp_path / "key")
