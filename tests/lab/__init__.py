"""A throwaway Active Directory domain controller (Samba) with accounts whose rights are known."""
