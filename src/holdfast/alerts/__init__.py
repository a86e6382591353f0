"""Tell people: what is overdue, once per problem, to whom it concerns, with the remedy in it."""
