"""SQL servers on the wire: TDS 7.4 with TLS inside it, as much of it as drivers and migration need."""
