"""SQL servers in this process: who may log in, who may touch what, and tables on SQLite."""
