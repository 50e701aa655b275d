"""Judges what a service account holds in Microsoft Entra ID and Exchange Online."""
