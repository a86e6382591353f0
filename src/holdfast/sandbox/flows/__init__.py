"""Cloud flows: their definitions, the expressions in them, how a run goes, and which runs need not be done again."""
