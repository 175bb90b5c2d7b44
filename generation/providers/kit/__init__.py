"""What upstreams have in common: media, status words, files, refusals."""
