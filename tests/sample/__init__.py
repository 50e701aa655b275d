"""The sample organisation, Contoso Ltd: its lab directory, its composed tenants, and their recording."""
