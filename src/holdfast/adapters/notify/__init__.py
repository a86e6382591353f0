"""How people and programs are told: mail, Teams, a signed webhook, and whatever Apprise speaks."""
