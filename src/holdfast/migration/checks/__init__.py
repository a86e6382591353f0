"""What may speak against moving a connection: small checks over one case, each with its fact; `eligibility` has their order."""
