"""Pictures for people, from records: each function takes plain values and gives the bytes of a PNG."""
