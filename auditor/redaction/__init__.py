"""Evidence without the organisation: pseudonyms in place of names, hosts, SIDs and ids, judged the same."""
