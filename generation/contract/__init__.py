"""The provider contract: operation, call, reply, request, status, errors."""
