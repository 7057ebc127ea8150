"""Views: reports, workspaces and presets of charts, whose content is the clients' own JSON."""
