"""Evidence without the organisation: stable tokens in place of names, hosts, SIDs and ids, to be judged the same."""
