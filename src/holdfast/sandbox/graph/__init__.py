"""Microsoft Graph: the directory as clients read and change it."""
