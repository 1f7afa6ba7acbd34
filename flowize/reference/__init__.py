"""What describes the API to programs and people: the OpenAPI document, its pages, the Postman collection."""
