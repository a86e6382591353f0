"""How the world is reached. Adapters report; they neither judge nor act."""
