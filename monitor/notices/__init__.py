"""What we would say: templates, lint, drafts. Pure."""
