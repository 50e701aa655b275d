"""Judges what a service account may do in Active Directory."""
