"""What outlives a crash: the only place that knows the durable engine."""
