"""The secret stores: the keyring of the operating system, and an encrypted file."""
