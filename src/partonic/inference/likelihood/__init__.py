"""The extended likelihood of unbinned events: terms, mixture, fit, scans, intervals and errors."""
