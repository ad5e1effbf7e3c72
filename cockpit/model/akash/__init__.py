"""Facts of the Akash network: deployments, leases, bids, providers, offers and money."""
