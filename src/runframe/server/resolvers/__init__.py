"""A module of resolvers for each noun: parse the arguments, call the store once, shape the answer."""
