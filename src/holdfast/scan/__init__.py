"""See what is there: page by page from the platform into the store."""
