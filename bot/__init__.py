"""The wires: the only room that starts anything or reads the environment."""
