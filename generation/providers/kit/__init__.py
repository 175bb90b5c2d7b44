"""What upstreams have in common: media, words of status, files, and how they refuse."""
