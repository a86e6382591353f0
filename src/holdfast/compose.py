"""The one place where ports meet adapters: Settings in, Holdfast out."""
