"""Our tables in Django's history: one migration for each step that paydesk's own have, so that there is one to type."""
