"""The look: neutral cards and the renderers that turn them into each platform's own form."""
