"""Azure Key Vault, its data plane: one vault with secrets."""
