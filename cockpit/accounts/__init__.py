"""Who may come in: users, their passwords and sessions, and the tokens of screens, in the alarm database."""
