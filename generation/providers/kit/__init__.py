"""What upstreams have in common: how they refuse, and what a refusal means."""
