"""How endpoints describe themselves, and how the OpenAPI document is made of that."""
