"""Pictures for people, from run directories: each function gives the bytes of a PNG."""
