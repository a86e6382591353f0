"""The shapes of the cloud's JSON, shared by the adapters and the sandbox, and the ledger of calls."""
