"""The verbs: what Redfirst does when somebody asks, blind to the platform."""
