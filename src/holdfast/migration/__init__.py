"""Move flows to service principals: what they need, planned before anything is done."""
