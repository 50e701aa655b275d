"""HTTPS to the tenant: what may be sent, with which token, and what happens when it fails."""
