"""The declarations of exhibits: what each is and which runs belong to it."""
