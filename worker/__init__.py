"""The worker: claims due jobs, talks to stations, saves decisions, delivers webhooks."""
