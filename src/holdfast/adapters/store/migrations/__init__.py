"""The steps that bring an older store up to date, oldest first. A step that has shipped never changes."""
