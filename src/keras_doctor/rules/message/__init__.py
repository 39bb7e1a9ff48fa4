"""Rules from messages: what a failure says, where no other fact tells."""
