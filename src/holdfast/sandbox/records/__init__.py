"""What there is in the tenant, as plain records: what `World` keeps and a snapshot can write. No record knows a room."""
