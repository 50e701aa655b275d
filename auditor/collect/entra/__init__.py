"""The reads of Microsoft Graph."""
