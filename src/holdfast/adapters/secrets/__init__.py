"""The secret stores: the keyring of the operating system, an encrypted file, and an Azure key vault."""
