"""History in one SQL database: SQLite in the state folder, or PostgreSQL by URL."""
