"""A local Microsoft 365 tenant for tests: sign-in, Microsoft Graph and Exchange Online over real HTTPS."""
