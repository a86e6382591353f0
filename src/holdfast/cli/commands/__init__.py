"""One file per command, named like it; `main` lists them."""
