"""JSON for programs below /api/v1. docs/api.md tells it, docs/openapi.json is made from the types of the answers."""
