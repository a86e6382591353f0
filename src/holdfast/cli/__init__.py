"""The command line: what the commands share, from arguments and settings to tables, JSON and exit codes."""
